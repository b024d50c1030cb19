import type { Headers } from "pagi-server";

/** The page has its own style and forms and no scripts, and no other site may frame it. */
export const PAGE_POLICY: Headers = [
  [
    "content-security-policy",
    "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  ],
  ["x-content-type-options", "nosniff"],
];

const SAMPLES = ["λ", "🔥", "中文", "♥", "café"];

/** Outside input is escaped where it goes into HTML, and encoded where it goes into a URL. */
export function page(report: string): string {
  const links = SAMPLES.map((each) => `<a href="/echo/${encodeURIComponent(each)}">${each}</a>`).join(" ");
  const value = Bun.escapeHTML(SAMPLES.join(" "));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>UTF-8</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/style.css">
</head>
<body>
<main>
<h1>UTF-8, there and back</h1>
<pre role="status">${Bun.escapeHTML(report)}</pre>
<h2>Path</h2>
<p class="links">${links}</p>
<h2>Query</h2>
<form action="/">
<label for="query">Text for the query</label>
<div class="row"><input id="query" name="text" value="${value}"> <button>GET</button></div>
</form>
<h2>Request body</h2>
<form action="/" method="post">
<label for="body">Text for the body</label>
<div class="row"><input id="body" name="text" value="${value}"> <button>POST</button></div>
</form>
</main>
</body>
</html>
`;
}
