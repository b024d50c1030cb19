import { expect, test } from "bun:test";
import { UploadBody, uploadDigest } from "../../bench/load/upload-body.ts";
import { clientFrame, serverFrameBytes } from "../../bench/load/websocket-frames.ts";
import { isAccepted, upgradeRequest } from "../../bench/load/websocket-handshake.ts";

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
