const element = (id) => document.getElementById(id);

function listen() {
  element("again").disabled = true;
  const source = new EventSource("/ticks");
  source.addEventListener("tick", ({ data }) => (element("tick").textContent = data));
  // The stream has an end, after which a browser would ask for it again.
  source.onerror = () => {
    source.close();
    element("again").disabled = false;
  };
}
element("again").onclick = listen;
listen();

const socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/shout?name=Ada");
socket.onopen = () => (element("send").disabled = false);
socket.onclose = () => (element("send").disabled = true);
socket.onmessage = ({ data }) => (element("shout").textContent = data);
element("form").onsubmit = (event) => {
  event.preventDefault();
  socket.send(element("text").value);
};
