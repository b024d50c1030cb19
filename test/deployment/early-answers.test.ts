import { describe, expect, test } from "bun:test";

import { Front, programPath } from "../support/front.ts";
import { Load } from "../support/load.ts";
import { Folder } from "../support/program.ts";
import { startHttp, text } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { post } from "../support/wire.ts";

// RFC 9112 sections 9.3 and 9.6: a large upload that is answered before it has been read, by clients and proxies that
// keep their connections. The request after it must not be lost.

/** More than the server reads away. */
const UPLOAD = 200_000;

/** Answers everything without reading it. */
const unread = text("unread");

/** A client for Node: each upload is followed by a POST, on whatever connection the agent has kept. */
const CLIENT = `
const http = require("node:http");
const [port, rounds, framing, size] = process.argv.slice(1);
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const ask = (path, body) => new Promise((resolve) => {
  const headers = framing === "length" ? { "content-length": body.length } : { "transfer-encoding": "chunked" };
  const request = http.request({ port, agent, method: "POST", path, headers }, (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (each) => (text += each));
    response.on("end", () => resolve(response.statusCode + " " + text));
    response.on("error", (error) => resolve(error.code));
  });
  request.on("error", (error) => resolve(error.code));
  // In pieces, as an upload comes from a disk or a network.
  let sent = 0;
  const more = () => {
    if (sent >= body.length) return request.end();
    request.write(body.subarray(sent, (sent += 20000)));
    setImmediate(more);
  };
  more();
});
(async () => {
  const lost = [];
  for (let i = 0; i < Number(rounds); i++) {
    for (const [path, length] of [["/upload", Number(size)], ["/next", 10]]) {
      const answer = await ask(path, Buffer.alloc(length, "x"));
      if (answer !== "200 unread") lost.push(path + ": " + answer);
    }
  }
  agent.destroy();
  console.log(JSON.stringify(lost));
})();
`;

describe("Node's agent, which keeps its connection", () => {
  test.each(["length", "chunked"])(
    "no request of 200 is lost, %s",
    async (framing) => {
      await using server = await startHttp(unread);
      const words = ["-e", CLIENT, String(server.port), "100", framing, String(UPLOAD)];
      const client = Bun.spawn([programPath("node", "nodejs"), ...words], {
        stdout: "pipe",
        stderr: "inherit",
      });
      expect(JSON.parse(await new Response(client.stdout).text())).toEqual([]);
      expect(server.server.requestCount).toBe(200);
    },
    30_000,
  );
});

interface Behind {
  readonly name: string;
  /** Fields of the uploads. */
  readonly fields: readonly string[];
  readonly open: (folder: Folder) => Promise<{ to: TestServer; front: Front }>;
}

async function behindNginx(folder: Folder, directives: string): Promise<{ to: TestServer; front: Front }> {
  const socket = folder.file("http.sock");
  const to = await startHttp(unread, { port: undefined, socket, socketMode: "666" });
  return { to, front: await Front.nginx(folder, socket, `proxy_next_upstream off; ${directives}`) };
}

const PROXIES: Behind[] = [
  { name: "nginx", fields: [], open: (folder) => behindNginx(folder, "") },
  {
    name: "nginx that passes uploads on as they come",
    // It ends its own connection to the client after such an answer, without announcing that, so the client does.
    fields: ["Connection: close"],
    open: (folder) => behindNginx(folder, "proxy_request_buffering off;"),
  },
  {
    name: "HAProxy",
    fields: [],
    open: async (folder) => {
      const to = await startHttp(unread, { listen: ["127.0.0.1:0"], port: undefined });
      return { to, front: await Front.haproxy(folder, to.port) };
    },
  },
];

// POST requests, which neither proxy sends a second time: what is lost is seen.
test.each(PROXIES)(
  "$name: no 502, and no request is lost beside uploads that are answered unread",
  async ({ open, fields }) => {
    using folder = new Folder();
    const { to, front } = await open(folder);
    await using _to = to;
    await using _front = front;
    await using uploads = new Load(front, 4, post("/upload", "x".repeat(UPLOAD), ...fields));
    await using others = new Load(front, 4, post("/other", "x"));
    while (uploads.answered < 200 || others.answered < 400) await Bun.sleep(10);
    await Promise.all([uploads.stop(), others.stop()]);
    expect([...uploads.lost, ...others.lost]).toEqual([]);
  },
  30_000,
);
