import { expect, test } from "bun:test";
import { IncomingMessage, ServerResponse } from "node:http";

import { chooseMechanism, chosenLater } from "../../adapters/node/choice.ts";
import { findInternals, type Internals } from "../../adapters/node/internals.ts";
import { byConnection } from "../../adapters/node/mechanisms.ts";
import { nodeApplication } from "../../adapters/node/node-application.ts";
import { startServer } from "../support/server.ts";
import { post, request } from "../support/wire.ts";

function known(): Internals {
  const internals = findInternals();
  if (internals === undefined) throw new Error("This Bun keeps the native side of a response elsewhere.");
  return internals;
}

test("this Bun's own objects are used", async () => {
  expect(await chooseMechanism()).not.toBe(byConnection);
});

const others: [name: string, find: () => Internals | undefined][] = [
  ["no symbols", () => undefined],
  [
    "a request that is constructed otherwise",
    () => ({ ...known(), request: () => Reflect.construct(IncomingMessage, [null]) }),
  ],
  [
    "a response that does not know its native side",
    () => ({
      ...known(),
      response: () => Reflect.construct(ServerResponse, [{ httpVersionMajor: 1, httpVersionMinor: 1 }]),
    }),
  ],
  [
    "a response that never says that it is finished",
    () => ({
      ...known(),
      response(of, native) {
        const response = known().response(of, native);
        const emit = response.emit.bind(response);
        response.emit = (name: string, ...given: unknown[]) => name !== "finish" && emit(name, ...given);
        return response;
      },
    }),
  ],
  [
    "a native side that is asked for something else",
    () => ({
      ...known(),
      response: (of, native) =>
        known().response(of, Object.assign(Object.create(native), { writeHead: undefined })),
    }),
  ],
  [
    "a constructor that throws",
    () => ({
      ...known(),
      request() {
        throw new TypeError("not a constructor");
      },
    }),
  ],
];

test.each(others)(
  "the connection in memory takes the place of Bun's objects where there is %s",
  async (_name, find) => {
    const choice = chooseMechanism(find);
    expect(await choice).toBe(byConnection);
  },
);

test("a request that comes before the choice waits for it", async () => {
  const choice = Promise.withResolvers<typeof byConnection>();
  const app = nodeApplication((incoming, response) => incoming.pipe(response), chosenLater(choice.promise));
  await using server = await startServer(app);
  const [first, second] = [request(server, post("/", "one")), request(server, post("/", "two"))];
  choice.resolve(byConnection);
  expect([(await first).body, (await second).body]).toEqual(["one", "two"]);
  expect((await request(server, post("/", "three"))).body).toBe("three");
});
