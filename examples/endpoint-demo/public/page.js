const $ = (id) => document.getElementById(id);

function append(list, text) {
  const item = document.createElement("li");
  item.textContent = text;
  list.append(item);
  list.parentElement.scrollTop = list.scrollHeight;
}

// The event stream brings the messages that there are, and then each new one.
const stream = new EventSource("/events");
stream.onopen = () => ($("stream-state").textContent = "live");
stream.onerror = () => ($("stream-state").textContent = "connecting again");
stream.onmessage = ({ data }) => append($("messages"), JSON.parse(data).text);

$("messages-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  $("message-error").textContent = "";
  try {
    const response = await fetch("/api/messages", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ text: form.elements.text.value }),
    });
    if (!response.ok) {
      const { detail, errors } = await response.json();
      throw new Error(errors?.[0]?.message ?? detail);
    }
    form.reset();
  } catch (error) {
    $("message-error").textContent = `Not posted: ${error.message}`;
  }
});

const socket = new WebSocket(new URL("/echo", location.href.replace(/^http/, "ws")));
socket.onclose = () => ($("echo-state").textContent = "closed; load the page again");
socket.onmessage = ({ data }) => {
  const { type, number, text, message } = JSON.parse(data);
  if (type === "welcome") $("echo-state").textContent = "connected";
  else append($("echoes"), type === "echo" ? `${number}: ${text}` : message);
};

$("echo-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  if (socket.readyState !== WebSocket.OPEN) return;
  socket.send(JSON.stringify({ text: form.elements.text.value }));
  form.reset();
});
