import { html, Simple } from "pagi-server/simple";

const app = new Simple({ name: "Hello" });

// These pages load nothing, so browsers are told to load nothing.
app.hook("before", (c) => {
  c.setHeader(
    "content-security-policy",
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
});

app.get("/", () => "Hello, World!\n");

app.get("/greet/:name", (c) => `Hello, ${c.params.name}!\n`).name("greet");

app.get("/json", () => ({ message: "Hello, World!" }));

app.get(
  "/html/:name",
  (c) =>
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="color-scheme" content="light dark" />
          <title>Hello</title>
        </head>
        <body>
          <main>
            <h1>Hello, ${c.params.name}!</h1>
          </main>
        </body>
      </html>`,
);

app.get("/search", (c) => {
  const q = c.queryParam("q") ?? "";
  return { query: q, results: q === "" ? [] : [`Result for: ${q}`] };
});

app.get("/created", (c) => c.status(201).setHeader("x-custom-header", "a value").json({ status: "created" }));

app.get("/old-path/:name", (c) => c.redirectTo("greet", { name: c.params.name }, { status: 301 }));

app.get("/broken", () => {
  throw new Error("This is for the log, and not for the client.");
});

app.notFound((c) => ({ error: "Not Found", path: c.path }));

export default app;
