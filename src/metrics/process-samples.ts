import fs from "node:fs";

import type { Samples } from "./families.ts";

/** What this process takes of the machine. */
export function processSamples(): Samples {
  const { user, system } = process.cpuUsage();
  return {
    process_cpu_seconds_total: (user + system) / 1e6,
    process_resident_memory_bytes: process.memoryUsage.rss(),
    process_open_fds: openDescriptors(),
  };
}

/** When this process started. */
export function startSample(): Samples {
  return { process_start_time_seconds: performance.timeOrigin / 1000 };
}

function openDescriptors(): number {
  try {
    // One of them is what the folder itself is read through.
    return fs.readdirSync("/proc/self/fd").length - 1;
  } catch {
    return 0; // without /proc, or without a descriptor left to read it
  }
}
