/** The style of the toolkit's own pages. They stay readable without it, where another policy blocks it. */
const STYLE = `
:root { color-scheme: light dark; font: 1.0625rem/1.5 system-ui, sans-serif }
body { margin: 0; background: light-dark(#fff, #121519); color: light-dark(#1b1f24, #e6edf3) }
a { color: light-dark(#0757b8, #79b8ff) }
main { max-width: 48rem; margin: 0 auto; padding: 2rem 1rem }
h1 { margin: 0 0 1rem; font-size: 1.6rem; line-height: 1.25; overflow-wrap: anywhere }
p, pre { overflow-wrap: anywhere; white-space: pre-wrap }
table { width: 100%; border-collapse: collapse }
th, td { padding: 0.3rem 0 0.3rem 1rem; text-align: end; vertical-align: baseline; white-space: nowrap; font-variant-numeric: tabular-nums }
th:first-child, td:first-child { padding-inline-start: 0; text-align: start; white-space: normal; overflow-wrap: anywhere }
tbody tr { border-top: 1px solid color-mix(in srgb, currentColor 25%, transparent) }
`;

/** The Content-Security-Policy of a {@link plainPage}: its own style, and nothing else. */
export const PLAIN_PAGE_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${new Bun.CryptoHasher("sha256").update(STYLE).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/**
 * A page without scripts and with nothing to load, for light and dark schemes and any width. Send it with
 * {@link PLAIN_PAGE_POLICY}.
 *
 * @param title text, shown as the heading as well.
 * @param content HTML, in which everything from outside is escaped.
 */
export function plainPage(title: string, content: string): string {
  const escaped = Bun.escapeHTML(title);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escaped}</h1>
${content}
</main>
</body>
</html>
`;
}
