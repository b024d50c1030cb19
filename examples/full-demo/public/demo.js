const $ = (id) => document.getElementById(id);

/** The answer as JSON, or an error with what the server says is wrong. */
async function ask(path, options) {
  const response = await fetch(path, options);
  const isJson = /\bjson\b/.test(response.headers.get("content-type") ?? "");
  const answer = isJson ? await response.json() : {};
  if (!response.ok)
    throw new Error(answer.errors?.[0]?.message ?? answer.detail ?? answer.error ?? response.statusText);
  return answer;
}

function onSubmit(id, handle) {
  $(id).addEventListener("submit", (event) => {
    event.preventDefault();
    void handle();
  });
}

// ── session ─────────────────────────────────────────────────────────────────────────────────────────────────────

async function visit() {
  const { name, visits, everybody } = await ask("visit");
  $("visits").textContent = `Hello, ${name}. This is your visit ${visits}, and visit ${everybody} of all.`;
}

onSubmit("name-form", async () => {
  try {
    await ask("name", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name: $("name").value }),
    });
    await visit();
    connect(); // a connection has the session of its beginning
  } catch (error) {
    $("visits").textContent = error.message;
  }
});

$("forget").addEventListener("click", async () => {
  await ask("forget", { method: "POST" });
  $("name").value = "";
  await visit();
});

// ── upload ──────────────────────────────────────────────────────────────────────────────────────────────────────

onSubmit("upload-form", async () => {
  $("uploaded").textContent = "Uploading";
  try {
    const { name, bytes, sha256 } = await ask("upload", {
      method: "POST",
      body: new FormData($("upload-form")),
    });
    $("uploaded").textContent = `${name}: ${bytes} bytes, SHA-256 ${sha256}`;
  } catch (error) {
    $("uploaded").textContent = error.message;
  }
});

// ── WebSocket ───────────────────────────────────────────────────────────────────────────────────────────────────

let socket;
function connect() {
  socket?.close();
  const url = new URL("ws/echo", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  socket = new WebSocket(url);
  socket.onmessage = ({ data }) => {
    const item = document.createElement("p");
    item.textContent = data;
    $("echoes").append(item);
    $("echoes").scrollTop = $("echoes").scrollHeight;
  };
}

onSubmit("socket-form", () => {
  if (socket.readyState === WebSocket.OPEN) {
    socket.send($("words").value);
    $("socket-form").reset();
  } else connect();
});

// ── events ──────────────────────────────────────────────────────────────────────────────────────────────────────

$("listen").addEventListener("click", () => {
  $("listen").disabled = true;
  const source = new EventSource("events");
  source.addEventListener("tick", ({ data }) => {
    const { tick, uptime } = JSON.parse(data);
    $("ticks").value = tick;
    $("tick").textContent = `Event ${tick}; the server is up for ${uptime} s.`;
  });
  source.addEventListener("done", ({ data }) => {
    source.close(); // otherwise the browser would come back
    $("tick").textContent = data;
    $("listen").disabled = false;
  });
});

// ── bodies ──────────────────────────────────────────────────────────────────────────────────────────────────────

$("stream").addEventListener("click", async () => {
  $("stream").disabled = true;
  $("streamed").textContent = "";
  try {
    const { body } = await fetch("stream");
    for await (const text of body.pipeThrough(new TextDecoderStream())) $("streamed").append(text);
  } finally {
    $("stream").disabled = false;
  }
});

onSubmit("echo-form", async () => {
  const response = await fetch("echo", { method: "POST", body: $("body").value });
  $("echoed").textContent = `${response.headers.get("x-echoed-length")} bytes: ${await response.text()}`;
});

void visit();
connect();
