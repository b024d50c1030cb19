const $ = (id) => document.getElementById(id);
const LONGEST_DELAY = 30_000;

let socket;
let delay = 500;

function connect(room, name) {
  const url = new URL(`rooms/${encodeURIComponent(room)}?name=${encodeURIComponent(name)}`, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  let wasOpen = false;
  socket = new WebSocket(url);
  $("state").textContent = "Connecting";
  socket.onopen = () => {
    wasOpen = true;
    delay = 500;
    $("state").textContent = `In ${room}, as ${name}`;
    $("enter").hidden = true;
    $("chat").hidden = false;
    $("text").focus();
  };
  socket.onmessage = ({ data }) => show(JSON.parse(data), name);
  socket.onclose = () => {
    if (!wasOpen && $("chat").hidden) {
      // A browser does not tell a page why a handshake was refused.
      $("state").textContent =
        "That did not work. Perhaps the name is taken, or has other signs than letters and digits.";
      return;
    }
    $("state").textContent = "Connection lost. Trying again";
    setTimeout(() => connect(room, name), delay * (0.5 + Math.random() / 2));
    delay = Math.min(2 * delay, LONGEST_DELAY);
  };
}

/** What people have written becomes text here, and never HTML. */
function show(news, name) {
  if (news.type === "people") {
    $("people").textContent = `Here: ${news.names.join(", ")}`;
    return;
  }
  const log = $("log");
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
  const item = document.createElement("p");
  const from = document.createElement("b");
  from.textContent = news.from;
  item.append(from, news.text);
  item.classList.toggle("own", news.from === name);
  log.append(item);
  if (isAtEnd) log.scrollTop = log.scrollHeight;
}

$("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  connect($("room").value.trim(), $("name").value.trim());
});

$("say").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (text === "" || socket.readyState !== WebSocket.OPEN) return;
  socket.send(JSON.stringify({ text }));
  $("say").reset();
});
