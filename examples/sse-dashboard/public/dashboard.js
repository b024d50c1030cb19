/** Samples that the charts show, and rows of the table. */
const SHOWN = 60;
const ROWS = 10;
/** Milliseconds before connecting again where the browser gives up, at first and at most. */
const FIRST_DELAY = 1000;
const LONGEST_DELAY = 30_000;

const $ = (id) => document.getElementById(id);
const decimals = (digits) =>
  new Intl.NumberFormat(undefined, { minimumFractionDigits: digits, maximumFractionDigits: digits });
const whole = decimals(0);
const one = decimals(1);
const mebibytes = (bytes) => bytes / 2 ** 20;

/** What each card shows of a sample. */
const METRICS = {
  memory: {
    of: (sample) => mebibytes(sample.memory),
    format: one,
    unit: "MiB",
    remark: (sample) => `${one.format(mebibytes(sample.heap))} MiB of it in the heap of JavaScript`,
  },
  cpu: {
    of: (sample) => sample.cpu,
    format: one,
    unit: "%",
    remark: () => "of one processor",
  },
  delay: {
    of: (sample) => sample.delay.max,
    format: one,
    unit: "ms",
    remark: (sample) => `the longest; ${one.format(sample.delay.mean)} ms on average`,
  },
  requests: {
    of: (sample) => sample.requests.rate,
    format: whole,
    unit: "per second",
    remark: (sample) => `${whole.format(sample.requests.total)} since the start`,
  },
};

const samples = [];
let isPaused = false;

// ── what is shown ───────────────────────────────────────────────────────────────────────────────────────────────

function shape(name, className, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  made.setAttribute("class", className);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** The next "round" number, so that the scale does not change with each sample. */
function ceiling(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value) ?? 10 * power;
}

function draw(card, { of, format, unit, remark }) {
  const latest = samples.at(-1);
  const values = samples.map(of);
  const value = format.format(values.at(-1));
  const small = document.createElement("small");
  small.textContent = ` ${unit}`;
  card.querySelector(".value").replaceChildren(value, small);
  card.querySelector(".remark").textContent = remark(latest);

  const top = ceiling(Math.max(...values));
  // The newest sample is at the right end, also while there are few.
  const points = values.map((each, i) => `${SHOWN - values.length + i},${100 - (each / top) * 100}`);
  const svg = card.querySelector("svg");
  svg.setAttribute("viewBox", `0 0 ${SHOWN - 1} 100`);
  svg.setAttribute(
    "aria-label",
    `${card.querySelector("h2").textContent} over ${values.length} samples: from ${format.format(Math.min(...values))} to ${format.format(Math.max(...values))} ${unit}, now ${value}`,
  );
  svg.replaceChildren(
    ...[0, 50, 100].map((y) => shape("line", "grid", { x1: 0, x2: SHOWN - 1, y1: y, y2: y })),
    shape("polygon", "area", {
      points: `${SHOWN - values.length},100 ${points.join(" ")} ${SHOWN - 1},100`,
    }),
    shape("polyline", "curve", { points: points.join(" ") }),
  );
  let scale = card.querySelector(".scale");
  if (scale === null) {
    scale = document.createElement("p");
    scale.className = "scale";
    scale.append(document.createElement("span"), document.createElement("span"));
    svg.before(scale);
  }
  scale.firstChild.textContent = `${whole.format(top)} ${unit}`;
  scale.lastChild.textContent = `last ${values.length} samples`;
}

function row(sample) {
  const made = document.createElement("tr");
  const cells = [
    new Date(sample.at).toLocaleTimeString(),
    `${one.format(mebibytes(sample.memory))} MiB`,
    `${one.format(sample.cpu)} %`,
    `${one.format(sample.delay.max)} ms`,
    whole.format(sample.requests.total),
    whole.format(sample.streams),
  ];
  for (const text of cells) {
    const cell = document.createElement("td");
    cell.textContent = text;
    made.append(cell);
  }
  return made;
}

function show() {
  const latest = samples.at(-1);
  if (isPaused || latest === undefined) return;
  for (const card of document.querySelectorAll(".card")) draw(card, METRICS[card.dataset.metric]);
  $("rows").replaceChildren(...samples.slice(-ROWS).reverse().map(row));
  const minutes = Math.floor(latest.uptime / 60);
  const seconds = Math.floor(latest.uptime % 60);
  const streams = latest.streams === 1 ? "1 stream" : `${latest.streams} streams`;
  $("process").textContent = `Up for ${minutes} min ${seconds} s, with ${streams} open.`;
}

function showStatus(state, text) {
  $("status").dataset.state = state;
  // The same words again would be read out again.
  if ($("status-text").textContent !== text) $("status-text").textContent = text;
}

// ── the stream ──────────────────────────────────────────────────────────────────────────────────────────────────

let delay = FIRST_DELAY;
let lastId = "";
/** Why there is no connection, as far as is known. */
let trouble = "Connection lost.";

function connect() {
  // A browser sends Last-Event-ID when it connects again by itself; a new EventSource has to say it in the address.
  const source = new EventSource(lastId === "" ? "events" : `events?last-event-id=${lastId}`);
  source.addEventListener("open", () => {
    delay = FIRST_DELAY;
    trouble = "Connection lost.";
    showStatus("connected", isPaused ? "Paused" : "Live");
  });
  source.addEventListener("error", () => {
    showStatus("lost", `${trouble} Trying again`);
    // After a response that is no stream, as a proxy gives it without its server, the browser does not try again.
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(connect, delay * (0.5 + Math.random() / 2));
    delay = Math.min(2 * delay, LONGEST_DELAY);
  });
  source.addEventListener("goodbye", ({ data }) => {
    trouble = data;
    showStatus("lost", trouble);
  });
  source.addEventListener("sample", ({ data, lastEventId }) => {
    lastId = lastEventId;
    samples.push(JSON.parse(data));
    if (samples.length > SHOWN) samples.shift();
    show();
  });
}

// ── what the user does ──────────────────────────────────────────────────────────────────────────────────────────

$("pause").addEventListener("click", () => {
  isPaused = !isPaused;
  $("pause").setAttribute("aria-pressed", String(isPaused));
  if ($("status").dataset.state === "connected") showStatus("connected", isPaused ? "Paused" : "Live");
  show();
});

$("work").addEventListener("click", async () => {
  $("work-result").textContent = "";
  const answers = await Promise.allSettled(
    Array.from({ length: 50 }, () => fetch("work", { method: "POST" })),
  );
  const good = answers.filter(({ value }) => value?.ok).length;
  $("work-result").textContent = `${good} of ${answers.length} were answered.`;
});

connect();
