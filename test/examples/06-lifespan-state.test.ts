import { expect, test } from "bun:test";
import { startExample } from "../support/example.ts";

test("requests share what startup has made, and shutdown comes last", async () => {
  await using server = await startExample("06-lifespan-state");
  expect(server.output).toContain("startup: the greeter is ready\n");
  for (const visit of [1, 2, 3]) {
    expect(await (await fetch(server.url)).text()).toBe(`Hello from lifespan. This is visit ${visit}.\n`);
  }
  expect(await server.stop("SIGINT")).toBe(0);
  expect(server.output.match(/shutdown: the greeter is put away\n/g)).toHaveLength(1);
});

test("the greeting is the operator's", async () => {
  await using server = await startExample("06-lifespan-state", { env: { GREETING: "Good day." } });
  expect(await (await fetch(server.url)).text()).toBe("Good day. This is visit 1.\n");
});

test("a startup that fails ends the server: message, exit code 1, no stack", async () => {
  const child = Bun.spawn([process.execPath, "cli/main.ts", "examples/06-lifespan-state/app.ts", "-p", "0"], {
    env: { ...process.env, GREETING: "", PAGI_ENV: "production" },
    stdout: "pipe",
    stderr: "pipe",
  });
  const output = (await child.stdout.text()) + (await child.stderr.text());
  expect(await child.exited).toBe(1);
  expect(output).toContain("GREETING is empty.");
  expect(output).not.toMatch(/^\s+at /m);
  expect(output).not.toContain("http://");
});

test("without a lifespan the reason is in the log", async () => {
  await using server = await startExample("06-lifespan-state", { args: ["--lifespan", "off"] });
  expect((await fetch(server.url)).status).toBe(500);
  await server.shows(/The lifespan has not run/);
});
