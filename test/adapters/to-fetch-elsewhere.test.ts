import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isMissing } from "../support/optional-program.ts";

// `toFetch` uses nothing of Bun's: bundled for the web platform it runs on node, as it would on an edge runtime.

const SCRIPT = `
Promise.withResolvers ??= () => {
  let resolve, reject;
  const promise = new Promise((...both) => ([resolve, reject] = both));
  return { promise, resolve, reject };
};
const { toFetch } = await import("./fetch.js");
const handler = toFetch(async (scope, receive, send) => {
  if (scope.type === "sse") {
    await send({ type: "sse.start" });
    await send({ type: "sse.send", data: "event" });
    return;
  }
  if (scope.type !== "http") throw new Error("no " + scope.type);
  if (scope.path === "/throw") throw new Error("on purpose");
  const { body } = await receive();
  await send({ type: "http.response.start", status: 201, headers: [["x-a", "1"]] });
  await send({ type: "http.response.body", body: scope.path + " ", more: true });
  await send({ type: "http.response.body", body });
}, { onError: () => {} });
const ask = async (path, init) => {
  const answer = await handler(new Request("http://h" + path, init));
  return [answer.status, answer.headers.get("x-a"), await answer.text()];
};
console.log(JSON.stringify([
  await ask("/a%20b", { method: "POST", body: "hello" }),
  await ask("/", { headers: { accept: "text/event-stream" } }),
  await ask("/throw"),
]));
`;

test.skipIf(isMissing("node"))(
  "an application answers on node",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "pagi-elsewhere-"));
    try {
      const { success } = await Bun.build({
        entrypoints: [join(import.meta.dir, "../../adapters/fetch.ts")],
        target: "browser",
        external: ["node:*"],
        outdir: folder,
      });
      expect(success).toBe(true);
      await Bun.write(join(folder, "script.mjs"), SCRIPT);
      await Bun.write(join(folder, "package.json"), `{ "type": "module" }`);
      const child = Bun.spawn(["node", "script.mjs"], { cwd: folder, stdout: "pipe", stderr: "inherit" });
      expect(JSON.parse(await child.stdout.text())).toEqual([
        [201, "1", "/a b hello"],
        [200, null, "data: event\n\n"],
        [500, null, "Internal Server Error\n"],
      ]);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
  20_000,
);
