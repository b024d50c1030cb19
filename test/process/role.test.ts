import { expect, test } from "bun:test";
import path from "node:path";

import { Folder } from "../support/program.ts";

const ROLE = path.resolve(import.meta.dir, "../../src/process/role.ts");
const ENVIRONMENT = path.resolve(import.meta.dir, "../../src/process/role-environment.ts");

/** A program that prints its role, and what its own children would find in the environment. */
const CHILD = `
import { takeRole } from ${JSON.stringify(ROLE)};
try { console.log(JSON.stringify(takeRole()), process.env.PAGI_SERVER_PROCESS ?? "nothing left"); }
catch (error) { console.log(error.code); }
`;

/** Starts the child with the role that a program writes, directly or through another program. */
async function childOf(expression: string, command: string): Promise<string> {
  using folder = new Folder({
    "child.ts": CHILD,
    "parent.ts": `
      import { environmentFor } from ${JSON.stringify(ENVIRONMENT)};
      const env = ${expression};
      const child = Bun.spawn(${command}, { env, stdio: ["ignore", "inherit", "inherit"] });
      process.exitCode = await child.exited;
    `,
  });
  const child = Bun.spawn([process.execPath, "parent.ts"], {
    cwd: folder.path,
    stdout: "pipe",
    stderr: "inherit",
  });
  return (await child.stdout.text()).trim();
}

const DIRECT = `[process.execPath, "child.ts"]`;
// A shell that has more to do than to become the program.
const THROUGH = `["sh", "-c", '"$0" child.ts; true', process.execPath]`;

test("a role is for the child that it is written for, which finds it once", async () => {
  expect(await childOf(`environmentFor({ type: "worker" })`, DIRECT)).toBe(`{"type":"worker"} nothing left`);
  const sockets = [{ fd: 3, asked: "a:1", slot: 2, fileId: "5:7" }];
  const found = await childOf(
    `environmentFor({ type: "successor", sockets: ${JSON.stringify(sockets)} })`,
    DIRECT,
  );
  expect(JSON.parse(found.replace(" nothing left", ""))).toMatchObject({ type: "successor", sockets });
});

test("a child of that child refuses it, for it would start a server of its own, and so on", async () => {
  expect(await childOf(`environmentFor({ type: "worker" })`, THROUGH)).toBe("ERR_PAGI_WORKER");
});

test("a child whose writer has ended refuses it, for it would become a server of its own", async () => {
  const env = `{ ...process.env, PAGI_SERVER_PROCESS: '{"type":"worker","writer":999999999}' }`;
  expect(await childOf(env, DIRECT)).toBe("ERR_PAGI_WORKER");
});

test("what others have written, or what is no role, is none", async () => {
  const main = `{"type":"main"} nothing left`;
  for (const text of ["nonsense", "7", "null", "{}", `{"type":"worker"}`]) {
    const env = `{ ...process.env, PAGI_SERVER_PROCESS: ${JSON.stringify(text)} }`;
    expect([text, await childOf(env, DIRECT)]).toEqual([text, main]);
  }
  const unknown = `{ ...process.env, PAGI_SERVER_PROCESS: JSON.stringify({ type: "king", writer: process.pid }) }`;
  expect(await childOf(unknown, DIRECT)).toBe(main);
});
