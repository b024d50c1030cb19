// The page works without this. With it, forms are sent without loading the page anew, so that the focus stays and
// screen readers hear what has happened; and a change in another window of the same visitor shows here.

const parser = new DOMParser();

/** One after the other: an answer that comes late must not show an older state. */
let turn = Promise.resolve();
function inTurn(task) {
  turn = turn.then(task, task);
  return turn;
}

/** Shows another state of the page. `keeps` is whether what is being typed stays. */
function show(text, keeps) {
  const next = parser.parseFromString(text, "text/html");
  const content = next.querySelector("main");
  if (content === null) return location.reload();
  const focused = document.activeElement?.id ?? "";
  const typed = keeps ? document.getElementById("title").value : undefined;
  document.title = next.title;
  document.querySelector("main").replaceWith(content);
  if (typed !== undefined) document.getElementById("title").value = typed;
  // What had the focus may have gone, with a deleted item say.
  const target = focused === "" ? null : document.getElementById(focused);
  if (!keeps || focused !== "") (target ?? document.getElementById("title")).focus();
  // The element stays and its text changes: that is what is read out.
  const said = next.getElementById("status").textContent;
  if (said !== "") document.getElementById("status").textContent = said;
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form, event.submitter));
  inTurn(async () => {
    const headers = { "x-requested-with": "fetch", accept: "text/html" };
    const response = await fetch(form.action, { method: "POST", headers, body });
    const at = response.headers.get("content-location");
    if (at !== null) history.replaceState(null, "", at);
    show(await response.text(), false);
  }).catch(() => {
    document.getElementById("status").textContent = "The server cannot be reached.";
  });
});

new EventSource("/live").addEventListener("changed", () =>
  inTurn(async () => {
    // Whoever edits an item is not disturbed.
    if (document.getElementById("edited") !== null) return;
    const response = await fetch(location.pathname, { headers: { accept: "text/html" } });
    if (response.ok) show(await response.text(), true);
  }),
);
