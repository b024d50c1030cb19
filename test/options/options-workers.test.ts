import { expect, setDefaultTimeout, test } from "bun:test";

import { DIARY, Folder, INDEX, Program } from "../support/program.ts";

// What a supervisor does is refused where there is none, however it was asked for.

setDefaultTimeout(20_000);

const OPTIONS = [
  ["--max-requests", "PAGI_MAX_REQUESTS", "maxRequests", "100"],
  ["--max-requests-jitter", "PAGI_MAX_REQUESTS_JITTER", "maxRequestsJitter", "10"],
  ["--max-rss", "PAGI_MAX_RSS", "maxRss", "200m"],
  ["--heartbeat-timeout", "PAGI_HEARTBEAT_TIMEOUT", "heartbeatTimeout", "50s"], // the default, asked for
] as const;

const folder = (): Folder => new Folder({ "app.ts": DIARY });

for (const [flag, variable, name, value] of OPTIONS) {
  test(`${flag} without workers: exit code 2, and what to give`, async () => {
    using files = folder();
    await using program = Program.serve(files, ["app.ts", "-p", "0", flag, value]);
    expect(await program.ended()).toBe(2);
    expect(program.stderr).toStartWith(`pagi-server: ${flag}: does nothing without workers`);
    expect(program.stderr).toContain("Set --workers to 2 or more");
    await using check = Program.serve(files, ["app.ts", "--check-config"], { [variable]: value });
    expect(await check.ended()).toBe(2);
    expect(check.stderr).toStartWith(`pagi-server: ${variable}: does nothing without workers`);
    expect(check.stderr).toContain("Set PAGI_WORKERS to 2 or more");
  });

  test(`${name} of serve() without workers`, async () => {
    using files = folder();
    const options = JSON.stringify({ port: 0, [name]: value });
    const text = `import app from "./app.ts"; import { serve } from ${JSON.stringify(INDEX)}; await serve(app, ${options});`;
    await Bun.write(files.file("program.ts"), text);
    await using program = new Program(files, ["program.ts"]);
    expect(await program.ended()).toBe(1);
    expect(program.stderr).toContain(`${name}: does nothing without workers`);
  });
}

test("0 asks for nothing; with workers, and with --reload, they are taken", async () => {
  using files = folder();
  const all = OPTIONS.flatMap(([flag, , , value]) => [flag, value]);
  const off = OPTIONS.flatMap(([flag]) => [flag, "0"]);
  for (const words of [off, [...all, "-w", "2"], [...all, "-w", "auto"], [...all, "--reload"]]) {
    await using program = Program.serve(files, ["app.ts", "--check-config", ...words]);
    expect([words.join(" "), await program.ended()]).toEqual([words.join(" "), 0]);
  }
});
