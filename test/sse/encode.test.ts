import { expect, test } from "bun:test";

import { encodeComment, encodeEvent } from "../../src/sse/encode.ts";
import type { EventFields } from "../../src/sse/encode.ts";

// WHATWG HTML, section 9.2.6: what a browser makes of the stream.

/** Reads a stream as section 9.2.6 says: the events and the comments in it. */
function interpret(stream: string) {
  const events: { event: string; data: string; id: string | undefined; retry: string | undefined }[] = [];
  const comments: string[] = [];
  let fields: { [name: string]: string[] } = {};
  for (const line of stream.split(/\r\n|\r|\n/)) {
    if (line === "") {
      if (fields["data"] !== undefined) {
        events.push({
          event: fields["event"]?.at(-1) ?? "message",
          data: fields["data"].join("\n"),
          id: fields["id"]?.at(-1),
          retry: fields["retry"]?.at(-1),
        });
      }
      fields = {};
      continue;
    }
    const colon = line.indexOf(":");
    if (colon === 0) {
      comments.push(line.slice(1));
      continue;
    }
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    (fields[name] ??= []).push(value);
  }
  return { events, comments };
}

const EVENTS: [about: string, fields: EventFields, text: string][] = [
  ["data alone", { data: "hello" }, "data: hello\n\n"],
  ["empty data is an event all the same", { data: "" }, "data: \n\n"],
  [
    "all fields, data last",
    { event: "e", id: "7", retry: 250, data: "x" },
    "event: e\nid: 7\nretry: 250\ndata: x\n\n",
  ],
  ["null is absent", { event: null, id: null, retry: null, data: "x" }, "data: x\n\n"],
  ["an empty id resets the last one", { id: "", data: "x" }, "id: \ndata: x\n\n"],
  ["retry 0", { retry: 0, data: "x" }, "retry: 0\ndata: x\n\n"],
  ["LF", { data: "a\nb" }, "data: a\ndata: b\n\n"],
  ["CR LF is one line end", { data: "a\r\nb" }, "data: a\ndata: b\n\n"],
  ["CR alone", { data: "a\rb" }, "data: a\ndata: b\n\n"],
  ["LF CR is two line ends", { data: "a\n\rb" }, "data: a\ndata: \ndata: b\n\n"],
  ["a line end at the end is kept", { data: "a\n" }, "data: a\ndata: \n\n"],
  ["an empty line within cannot end the event", { data: "a\n\nb" }, "data: a\ndata: \ndata: b\n\n"],
  ["a leading space survives", { data: " x" }, "data:  x\n\n"],
  ["a colon is no field", { data: "id: 7" }, "data: id: 7\n\n"],
  [
    "other Unicode line ends are text",
    { data: "a\u0085b\u2028c\u000bd" },
    "data: a\u0085b\u2028c\u000bd\n\n",
  ],
  ["beyond ASCII", { event: "grüße", data: "日本 😀" }, "event: grüße\ndata: 日本 😀\n\n"],
];

test.each(EVENTS)("an event: %s", (_, fields, text) => {
  expect(encodeEvent(fields)).toBe(text);
  expect(interpret(text).events).toEqual([
    {
      event: fields.event ?? "message",
      data: fields.data.replace(/\r\n|\r/g, "\n"),
      id: fields.id ?? undefined,
      retry: fields.retry?.toString(),
    },
  ]);
});

const COMMENTS: [about: string, comment: string, text: string][] = [
  ["gets its colon", "ping", ":ping\n\n"],
  ["has its colon", ":ping", ":ping\n\n"],
  ["keeps a second colon", "::ping", "::ping\n\n"],
  ["keeps a space", " ping", ": ping\n\n"],
  ["empty", "", ":\n\n"],
  ["several lines, each with a colon", "a\nb\r\nc\rd", ":a\n:b\n:c\n:d\n\n"],
  ["lines that have colons", ":a\n:b", ":a\n:b\n\n"],
  ["a line that would be a field", "a\ndata: forged\n\ndata: too", ":a\n:data: forged\n:\n:data: too\n\n"],
];

test.each(COMMENTS)("a comment: %s", (_, comment, text) => {
  expect(encodeComment(comment)).toBe(text);
  expect(interpret(text).events).toEqual([]);
});

test("whatever the data holds, a browser gets that and nothing else", () => {
  const pieces = [
    "\n",
    "\r",
    "\r\n",
    ":",
    " ",
    "data:",
    "id: 1",
    "event: x",
    "retry: 1",
    "",
    "a",
    "\u2028",
    "\0",
  ];
  let seed = 1;
  const random = (below: number): number => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * below);
  };
  for (let run = 0; run < 2000; run++) {
    const data = Array.from({ length: random(8) }, () => pieces[random(pieces.length)]).join("");
    const stream = encodeEvent({ data }) + encodeComment(data) + encodeEvent({ event: "end", data: "." });
    expect(interpret(stream).events).toEqual([
      { event: "message", data: data.replace(/\r\n|\r/g, "\n"), id: undefined, retry: undefined },
      { event: "end", data: ".", id: undefined, retry: undefined },
    ]);
  }
});
