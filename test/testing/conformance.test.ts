import { describe, expect, test } from "bun:test";
import { CONFORMANCE, IN_PROCESS, checkRefusedStart, runCase } from "pagi-server/testing/conformance";
import { OVER_TCP, OVER_UNIX } from "../support/conformance-server.ts";

const TARGETS = { "in process": IN_PROCESS, "over TCP": OVER_TCP, "over a Unix socket": OVER_UNIX };

describe.each(Object.entries(TARGETS))("%s", (_name, target) => {
  for (const [group, cases] of Object.entries(CONFORMANCE)) {
    describe(group, () => {
      for (const each of cases) test.concurrent(`${each.name} (${each.source})`, () => runCase(each, target));
    });
  }

  test.concurrent("an application that refuses to start is not served (Lifespan, Startup Failed)", () =>
    checkRefusedStart(target),
  );
});

test.concurrent("each case has a name of its own", () => {
  for (const cases of Object.values(CONFORMANCE)) {
    const names = cases.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
  }
});
