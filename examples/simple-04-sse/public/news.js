const state = document.getElementById("state");
const source = new EventSource("events");
source.onopen = () => (state.textContent = "Connected.");
source.onerror = () => (state.textContent = "The connection is lost; trying again…");
for (const button of document.querySelectorAll("[data-type]")) {
  const type = button.dataset.type;
  source.addEventListener(type, ({ data, lastEventId }) => {
    const li = document.createElement("li");
    li.className = type;
    li.textContent = lastEventId + ": " + data;
    document.getElementById("events").append(li);
  });
  button.onclick = () =>
    fetch("trigger", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ type, text: "Something for you: " + type }),
    });
}
