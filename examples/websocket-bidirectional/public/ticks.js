const element = (id) => document.getElementById(id);
const buttons = ["send", "start", "stop"].map(element);
const socket = new WebSocket(location.href.replace(/^http/, "ws"));

socket.onopen = () => {
  element("state").textContent = "connected";
  for (const button of buttons) button.disabled = false;
  socket.send("start"); // it is running, and the answer is its interval
};
socket.onclose = ({ code }) => {
  element("state").textContent = `closed with ${code}`;
  for (const button of buttons) button.disabled = true;
};
socket.onmessage = ({ data }) => {
  const { tick, interval, error } = JSON.parse(data);
  if (tick !== undefined) {
    element("tick").textContent = tick;
    return;
  }
  element("error").textContent = error ?? "";
  if (interval !== undefined) element("interval").textContent = interval ?? "stopped";
};
element("form").onsubmit = (event) => {
  event.preventDefault();
  socket.send(element("command").value);
};
for (const word of ["start", "stop"]) element(word).onclick = () => socket.send(word);
