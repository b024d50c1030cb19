import type { Headers, HttpReceiveEvent, HttpScope } from "pagi-server";
import { dispatch } from "pagi-server";
import { page, PAGE_POLICY } from "./page.ts";

// Where text comes into an application and out of it, and who decodes it:
//
//   scope.path          decoded by the server: percent-encoding, then UTF-8
//   scope.raw_path      as it came: percent-encoded bytes
//   scope.query_string  as it came; the application decodes it
//   request body        bytes; the application decodes them
//   response body       a string is encoded as UTF-8 by the server; Content-Length counts bytes, not characters

interface Found {
  source: "path" | "query" | "body";
  text: string;
}

export default dispatch({
  async http(scope, receive, send) {
    if (scope.path === "/style.css") {
      const headers: Headers = [["content-type", "text/css; charset=utf-8"]];
      await send({ type: "http.response.start", status: 200, headers });
      return await send({ type: "http.response.body", file: `${import.meta.dir}/public/style.css` });
    }
    const found = fromPath(scope) ?? fromQuery(scope) ?? (await fromBody(receive));
    const [type, body] = wantsHtml(scope)
      ? ["text/html", page(report(found))]
      : ["text/plain", report(found)];
    await send({
      type: "http.response.start",
      status: 200,
      headers: [
        ["content-type", `${type}; charset=utf-8`],
        ["content-length", String(Buffer.byteLength(body))],
        ...PAGE_POLICY,
      ],
    });
    await send({ type: "http.response.body", body });
  },
});

function fromPath(scope: HttpScope): Found | undefined {
  const text = /^\/echo\/(.+)$/s.exec(scope.path)?.[1];
  return text === undefined ? undefined : { source: "path", text };
}

function fromQuery(scope: HttpScope): Found | undefined {
  const text = new URLSearchParams(scope.query_string).get("text");
  return text === null ? undefined : { source: "query", text };
}

async function fromBody(receive: () => Promise<HttpReceiveEvent>): Promise<Found | undefined> {
  // A character may be cut in two between pieces: a streaming decoder keeps its first half for the next piece.
  const decoder = new TextDecoder();
  let form = "";
  for (let more = true; more;) {
    const event = await receive();
    if (event.type === "http.disconnect") return undefined;
    form += decoder.decode(event.body, { stream: true });
    more = event.more;
  }
  const text = new URLSearchParams(form + decoder.decode()).get("text");
  return text === null ? undefined : { source: "body", text };
}

function wantsHtml(scope: HttpScope): boolean {
  return scope.headers.some(([name, value]) => name === "accept" && value.includes("text/html"));
}

function report(found: Found | undefined): string {
  if (found === undefined) return "Send text in the path (/echo/TEXT), the query (?text=TEXT) or a form.\n";
  const characters = [...found.text]; // by code point; .length would count two for many of them
  const points = characters.map(
    (each) => `U+${each.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0")}`,
  );
  return [
    `source: ${found.source}`,
    `text: ${found.text}`,
    `characters: ${characters.length}, UTF-8 bytes: ${Buffer.byteLength(found.text)}`,
    `code points: ${points.join(" ")}`,
    "",
  ].join("\n");
}
