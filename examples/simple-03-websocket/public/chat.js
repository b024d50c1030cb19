const name = new URLSearchParams(location.search).get("name") ?? "Guest";
const messages = document.getElementById("messages");
const state = document.getElementById("state");
const text = document.getElementById("text");
let socket;

function show(kind, line) {
  const p = document.createElement("p");
  p.className = kind;
  p.textContent = line;
  messages.append(p);
  messages.scrollTop = messages.scrollHeight;
}

function connect() {
  const url = new URL("ws/general?" + new URLSearchParams({ name }), location.href);
  url.protocol = url.protocol.replace("http", "ws");
  socket = new WebSocket(url);
  socket.onopen = () => (state.textContent = "Connected as " + name);
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === "chat") show("chat", message.user + ": " + message.text);
    else show("notice", message.text);
  };
  socket.onclose = () => {
    state.textContent = "The connection is lost; trying again…";
    setTimeout(connect, 1000);
  };
}

document.getElementById("form").onsubmit = (event) => {
  event.preventDefault();
  if (text.value.trim() === "" || socket.readyState !== WebSocket.OPEN) return;
  socket.send(JSON.stringify({ text: text.value }));
  text.value = "";
};
connect();
