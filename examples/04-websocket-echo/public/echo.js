const state = document.getElementById("state");
const text = document.getElementById("text");
const send = document.getElementById("send");
// http becomes ws, and https becomes wss.
const socket = new WebSocket(location.href.replace(/^http/, "ws"));

socket.onopen = () => {
  state.textContent = "connected";
  send.disabled = false;
};
socket.onclose = ({ code }) => {
  state.textContent = `closed with ${code}`;
  send.disabled = true;
};
socket.onmessage = ({ data }) => {
  const item = document.createElement("li");
  item.textContent = data;
  document.getElementById("echoes").append(item);
  item.scrollIntoView({ block: "nearest" });
};
document.getElementById("form").onsubmit = (event) => {
  event.preventDefault();
  socket.send(text.value);
  text.value = "";
};
