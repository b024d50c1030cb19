const $ = (id) => document.getElementById(id);

// Users: the API, by fetch.
async function showUsers() {
  const users = await (await fetch("/api/users")).json();
  $("users").replaceChildren(
    ...users.map(({ id, name, email }) => {
      const item = document.createElement("li");
      const remove = document.createElement("button");
      remove.textContent = "Remove";
      remove.setAttribute("aria-label", `Remove ${name}`);
      remove.addEventListener("click", async () => {
        await fetch(`/api/users/${id}`, { method: "DELETE" });
        $("user-state").textContent = `${name} was removed.`;
        await showUsers();
      });
      item.append(`${name}, ${email} `, remove);
      return item;
    }),
  );
}

$("user-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  const response = await fetch("/api/users", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(Object.fromEntries(new FormData(form))),
  });
  const answer = await response.json();
  const problems = new Map((answer.errors ?? []).map(({ pointer, message }) => [pointer.slice(1), message]));
  for (const name of ["name", "email"]) {
    $(`${name}-error`).textContent = problems.get(name) ?? "";
    $(name).ariaInvalid = String(problems.has(name));
  }
  form.querySelector("[aria-invalid=true]")?.focus();
  if (response.ok) form.reset();
  const refusal = problems.size > 0 ? "Please correct what is marked." : answer.detail;
  $("user-state").textContent = response.ok ? `${answer.name} was added.` : refusal;
  await showUsers();
});

await showUsers();

// Metrics: an event stream, which the browser opens again by itself.
const stream = new EventSource("/metrics");
stream.onerror = () => ($("metrics-state").textContent = "connecting again");
stream.addEventListener("connected", () => ($("metrics-state").textContent = "live"));
stream.addEventListener(
  "reconnected",
  ({ data }) => ($("metrics-state").textContent = `live; missed ${JSON.parse(data).missed}`),
);
stream.addEventListener("metrics", ({ data }) => {
  for (const [name, value] of Object.entries(JSON.parse(data))) $(name).textContent = value;
});

// Echo: a WebSocket.
const socket = new WebSocket(new URL("/echo", location.href.replace(/^http/, "ws")));
socket.onmessage = ({ data }) => ($("echoed").textContent = data);
socket.onclose = () => ($("echoed").textContent = "closed; load the page again");
$("echo-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  if (socket.readyState !== WebSocket.OPEN) return;
  socket.send(form.elements.text.value);
  form.reset();
});
