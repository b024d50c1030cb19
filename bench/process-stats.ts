import { readdirSync, readFileSync, writeFileSync } from "node:fs";

/** What the kernel has accounted for a process, its threads included. */
export interface CpuTime {
  /** Microseconds in the process's own code. */
  user: number;
  /** Microseconds in the kernel on its behalf. */
  system: number;
}

// USER_HZ: /proc counts in hundredths of a second on every Linux that Bun runs on.
const MICROSECONDS_PER_TICK = 10_000;

export function cpuTimeOf(pid: number): CpuTime {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The second field is the command in brackets and may hold anything, so fields are counted from behind it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    user: Number(fields[11]) * MICROSECONDS_PER_TICK,
    system: Number(fields[12]) * MICROSECONDS_PER_TICK,
  };
}

/** Resident memory in bytes: now, and the most it ever was. */
export function memoryOf(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  const bytes = (field: string): number => {
    const match = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status);
    return Number(match?.[1] ?? Number.NaN) * 1024;
  };
  return { now: bytes("VmRSS"), peak: bytes("VmHWM") };
}

/** From here on, {@link memoryOf} counts the peak anew. */
export function forgetPeakOf(pid: number): void {
  // "5" resets VmHWM, see proc_pid_clear_refs(5).
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

/** Open file descriptors. */
export function filesOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Resident memory once it has come to rest: two readings 250 ms apart within 1 %, or the last after five seconds. */
export async function settledMemoryOf(pid: number): Promise<number> {
  let last = memoryOf(pid).now;
  for (let reading = 0; reading < 20; reading++) {
    await Bun.sleep(250);
    const { now } = memoryOf(pid);
    if (Math.abs(now - last) < last / 100) return now;
    last = now;
  }
  return last;
}
