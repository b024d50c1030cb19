import { expect, test } from "bun:test";
import { UploadBody, uploadDigest } from "../../bench/load/upload-body.ts";
import { clientFrame, serverFrameBytes } from "../../bench/load/websocket-frames.ts";
import { fetchOptions, isVarying, requestText } from "../../bench/load/request-text.ts";
import { runLoad } from "../../bench/load/run.ts";
import { isAccepted, upgradeRequest } from "../../bench/load/websocket-handshake.ts";
import { runWrk } from "../../bench/load/wrk.ts";
import { SERVERS, type RunningServer } from "../../bench/servers.ts";
import { isMissing } from "../support/optional-program.ts";

const ANYWHERE = { server: undefined, load: undefined };

/** A server of the test itself, as the load sees it. */
function running(port = 0): RunningServer {
  const [kind] = SERVERS;
  if (kind === undefined) throw new Error("there is no server");
  return {
    kind,
    port,
    pid: process.pid,
    url: `http://127.0.0.1:${port}/`,
    during: (work) => work,
    end: () => Promise.resolve(),
  };
}

test("a request is written with its host, headers and length", () => {
  const request = { method: "POST", target: "/a?b", headers: { "X-Number": "{n}" }, body: "four" };
  expect(requestText(request, 80)).toBe(
    "POST /a?b HTTP/1.1\r\nHost: 127.0.0.1:80\r\nX-Number: {n}\r\nContent-Length: 4\r\n\r\nfour",
  );
  expect(isVarying(request)).toBe(true);
  expect(isVarying({ target: "/{n4}" })).toBe(true);
  expect(isVarying({ target: "/{x}" })).toBe(false);
  const [target, init] = fetchOptions({ ...request, target: "/{n}/{n}" }, 7);
  expect([target, init.headers]).toEqual(["/7/7", [["X-Number", "7"]]]);
});

test.skipIf(isMissing("wrk"))("wrk sends a request that varies with another number each time", async () => {
  const seen: string[] = [];
  using server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      seen.push(`${new URL(request.url).pathname} ${request.headers.get("x-number")}`);
      return new Response("ok");
    },
  });
  const request = { target: "/a/{n}", headers: { "X-Number": "n{n}" } };
  const load = { request, connections: 2, seconds: 0.05, depth: 1 };
  const { requests } = await runWrk(running(server.port), load, ANYWHERE);
  expect(requests).toBeGreaterThan(0);
  expect(new Set(seen).size).toBe(seen.length);
  for (const line of seen) expect(line).toMatch(/^\/a\/(\d+) n\1$/);
});

test.skipIf(isMissing("wrk"))("wrk's requests in one write are all counted", async () => {
  let served = 0;
  using server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch() {
      served += 1;
      return new Response("ok");
    },
  });
  const load = { request: {}, connections: 1, seconds: 0.05, depth: 4 };
  const { requests } = await runWrk(running(server.port), load, ANYWHERE);
  expect(requests).toBeGreaterThan(0);
  // The last batch may be on its way when wrk ends.
  expect(served - requests).toBeWithin(0, 5);
});

test.if(process.platform === "linux")(
  "an open loop counts the wait of all requests that a stall delays",
  async () => {
    const STALL = 400;
    let served = 0;
    using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch() {
        served += 1;
        if (served === 50) Bun.sleepSync(STALL);
        return new Response("ok");
      },
    });
    // 500 a second for one second: 200 of them are due within the stall, and 100 within its first half.
    const { answered, p50, p99 } = await runLoad("open-loop", [server.port ?? 0, 4, 500, 1, 0], ANYWHERE);
    expect(answered).toBe(500);
    expect(served).toBe(504);
    expect(p99).toBeGreaterThan((STALL / 2) * 1000);
    expect(p50).toBeLessThan(p99 ?? 0);
  },
);

test.if(process.platform === "linux")("an open loop does not accept an error for an answer", async () => {
  let served = 0;
  using server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => new Response("ok", { status: ++served > 20 ? 500 : 200 }),
  });
  const run = runLoad("open-loop", [server.port ?? 0, 2, 1000, 0.1, 0], ANYWHERE);
  const failure: unknown = await run.catch((error: unknown) => error);
  expect(String(failure)).toContain("the server answered HTTP/1.1 500");
});

test.each(["form", "raw"] as const)("the parts of an upload (%s) make the whole", async (kind) => {
  const size = 2 ** 20 + 5;
  const upload = new UploadBody(kind, "/path", size);
  const bytes: Buffer[] = [];
  for (let at = 0; at < upload.length; at += bytes.at(-1)?.length ?? 0) bytes.push(upload.bytesAt(at));
  expect(upload.bytesAt(upload.length)).toHaveLength(0);
  const [head = "", ...rest] = Buffer.concat(bytes).toString("latin1").split("\r\n\r\n");
  expect(head).toStartWith("POST /path HTTP/1.1\r\n");
  const body = upload.whole();
  expect(rest.join("\r\n\r\n")).toBe(body.toString("latin1"));
  expect(head).toContain(`Content-Length: ${body.length}`);
  const response = new Response(body, { headers: { "content-type": upload.type } });
  const file = kind === "raw" ? await response.blob() : (await response.formData()).get("file");
  if (!(file instanceof Blob)) throw new Error("there is no file");
  expect(new Bun.CryptoHasher("sha256").update(await file.bytes()).digest("hex")).toBe(uploadDigest(size));
});

test("frames of WebSocket are those of RFC 6455, which a server understands", async () => {
  const sizes = [0, 1, 125, 126, 4096, 65_535, 65_536];
  const got: string[] = [];
  const done = Promise.withResolvers<void>();
  using server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request, own) => (own.upgrade(request) ? undefined : new Response()),
    websocket: {
      message(socket, message) {
        got.push(String(message));
        socket.send(message);
      },
    },
  });
  const texts = sizes.map((size) => "x".repeat(size));
  const due = sizes.reduce((sum, size) => sum + serverFrameBytes(size), 0);
  let [head, received] = ["", 0];
  const bytes = Buffer.concat(texts.map((text) => clientFrame(new TextEncoder().encode(text))));
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: server.port ?? 0,
    socket: {
      data(own, chunk) {
        if (head === "") {
          head = chunk.toString("latin1");
          own.write(bytes);
        } else received += chunk.byteLength;
        if (received >= due) done.resolve();
      },
      close: () => done.resolve(),
    },
  });
  socket.write(upgradeRequest("/"));
  await done.promise;
  socket.end();
  expect(isAccepted(head)).toBe(true);
  expect(got.map(({ length }) => length)).toEqual(sizes);
  expect(got).toEqual(texts);
  expect(received).toBe(due);
});
