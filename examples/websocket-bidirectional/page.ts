import type { Headers, HttpHandler } from "pagi-server";

/** The page loads only its own files, and no other site may frame it. */
const POLICY: Headers = [
  [
    "content-security-policy",
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  ],
  ["x-content-type-options", "nosniff"],
];

const FILES: Readonly<Record<string, readonly [name: string, type: string]>> = {
  "/": ["index.html", "text/html"],
  "/style.css": ["style.css", "text/css"],
  "/ticks.js": ["ticks.js", "text/javascript"],
};

/** The page that opens the WebSocket, and its files. */
export const page: HttpHandler = async (scope, _receive, send) => {
  const [name, type] = FILES[scope.path] ?? [undefined, "text/plain"];
  await send({
    type: "http.response.start",
    status: name === undefined ? 404 : 200,
    headers: [["content-type", `${type}; charset=utf-8`], ...POLICY],
  });
  if (name === undefined) await send({ type: "http.response.body", body: "Not found\n" });
  else await send({ type: "http.response.body", file: `${import.meta.dir}/public/${name}` });
};
