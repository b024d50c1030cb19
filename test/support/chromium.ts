import { type Browser, chromium } from "playwright-core";

/** Debian's package; other systems have other places, and their Chromium is another one. */
const EXECUTABLE = "/usr/bin/chromium";

/**
 * Starts a headless Chromium with an empty profile, which is removed when it is closed. It never asks the network for
 * anything of its own. Takes a second or two.
 *
 * @throws Error when it is not installed, or does not start within 30 seconds.
 */
export async function launchChromium(): Promise<Browser> {
  if (!(await Bun.file(EXECUTABLE).exists())) {
    throw new Error(
      `${EXECUTABLE} is missing: these tests need a real browser. Install it: apt-get install chromium`,
    );
  }
  return chromium.launch({
    executablePath: EXECUTABLE,
    headless: true,
    timeout: 30_000,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      // A container's /dev/shm may be too small for it.
      "--disable-dev-shm-usage",
    ],
  });
}
