import { dlopen, ptr } from "bun:ffi";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

/** CPU time of a process, its threads included, in microseconds. */
export interface CpuTime {
  /** All of it, to the nanosecond. */
  total: number;
  /** In the process's own code, in steps of 10 ms. */
  user: number;
  /** In the kernel on its behalf, in steps of 10 ms. */
  system: number;
}

// USER_HZ: /proc counts in hundredths of a second on every Linux that Bun runs on.
const MICROSECONDS_PER_TICK = 10_000;

export function cpuTimeOf(pid: number): CpuTime {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The second field is the command in brackets and may hold anything, so fields are counted from behind it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    total: cpuClockOf(pid),
    user: Number(fields[11]) * MICROSECONDS_PER_TICK,
    system: Number(fields[12]) * MICROSECONDS_PER_TICK,
  };
}

/** The CPU time spent between two readings. */
export function cpuTimeBetween(before: CpuTime, after: CpuTime): CpuTime {
  return {
    total: after.total - before.total,
    user: after.user - before.user,
    system: after.system - before.system,
  };
}

let clockGetTime: ((clock: number, time: BigInt64Array) => number) | undefined;

/** The CPU clock of a process, in microseconds: /proc is too coarse for a round of half a second. */
function cpuClockOf(pid: number): number {
  if (clockGetTime === undefined) {
    const { symbols } = dlopen("libc.so.6", { clock_gettime: { args: ["i32", "ptr"], returns: "i32" } });
    clockGetTime = (clock, time) => symbols.clock_gettime(clock, ptr(time));
  }
  const time = new BigInt64Array(2);
  // How clock_getcpuclockid(3) makes a clock from a process id: its complement, and CPUCLOCK_SCHED.
  if (clockGetTime((~pid << 3) | 2, time) !== 0) throw new Error(`process ${pid} has ended`);
  const [seconds = 0n, nanoseconds = 0n] = time;
  return Number(seconds) * 1e6 + Number(nanoseconds) / 1000;
}

/** Whether a process has set a handler for SIGINT; `false` for one that has ended. */
export function catchesInterrupt(pid: number): boolean {
  let status;
  try {
    status = readFileSync(`/proc/${pid}/status`, "latin1");
  } catch {
    return false;
  }
  const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  // Bit 0 is signal 1.
  return (BigInt(`0x${caught}`) & (1n << 1n)) !== 0n;
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

/** Makes {@link memoryOf} count the peak from here on. */
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
