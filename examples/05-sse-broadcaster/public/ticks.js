const state = document.getElementById("state");
const ticks = document.getElementById("ticks");
const source = new EventSource("/events");

source.onopen = () => {
  state.textContent = "connected";
};
source.onerror = () => {
  state.textContent = "connection lost, trying again";
};
source.addEventListener("tick", ({ data }) => {
  const item = document.createElement("li");
  item.value = JSON.parse(data).tick;
  item.textContent = data;
  ticks.prepend(item);
  if (ticks.children.length > 20) ticks.lastElementChild.remove();
});
source.addEventListener("goodbye", ({ data }) => {
  state.textContent = data;
});
