import type { HttpHandler, WebSocketHandler } from "pagi-server";
import { dispatch } from "pagi-server";

/** One call for each connection: its life is the life of the connection. */
const websocket: WebSocketHandler = async (_scope, receive, send) => {
  await receive(); // websocket.connect: the client waits for an answer to its handshake
  await send({ type: "websocket.accept" });
  for (;;) {
    const event = await receive();
    if (event.type === "websocket.disconnect") return;
    if (event.type === "websocket.connect") continue; // comes once, and was taken above
    // A message is text or bytes, and goes back as what it was. While the client does not read, `send` waits here,
    // nothing more is received, and the client has to wait as well.
    await send(
      event.text === undefined
        ? { type: "websocket.send", bytes: event.bytes }
        : { type: "websocket.send", text: event.text },
    );
  }
};

/** The page that opens the WebSocket. */
const http: HttpHandler = async (scope, _receive, send) => {
  const [status, type, body] =
    scope.path === "/" ? ([200, "text/html", PAGE] as const) : ([404, "text/plain", "Not found\n"] as const);
  await send({
    type: "http.response.start",
    status,
    headers: [["content-type", `${type}; charset=utf-8`]],
  });
  await send({ type: "http.response.body", body });
};

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>WebSocket echo</title>
<h1>Echo</h1>
<p id="state">connecting</p>
<form id="form">
  <input id="text" aria-label="Message" autocomplete="off">
  <button id="send" disabled>Send</button>
</form>
<ol id="echoes"></ol>
<script>
  const state = document.getElementById("state");
  const text = document.getElementById("text");
  const send = document.getElementById("send");
  // http becomes ws, and https becomes wss.
  const socket = new WebSocket(location.href.replace(/^http/, "ws"));
  socket.onopen = () => { state.textContent = "connected"; send.disabled = false; };
  socket.onclose = ({ code }) => { state.textContent = "closed with " + code; send.disabled = true; };
  socket.onmessage = ({ data }) => {
    const item = document.createElement("li");
    item.textContent = data;
    document.getElementById("echoes").append(item);
  };
  document.getElementById("form").onsubmit = (event) => {
    event.preventDefault();
    socket.send(text.value);
    text.value = "";
  };
</script>
</html>
`;

export default dispatch({ websocket, http });
