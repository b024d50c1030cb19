import type { Application } from "pagi-server";

/** The smallest useful application: the same response to every request. */
const app: Application = async (scope, _receive, send) => {
  // One function is called for everything, so it says first what it handles. Throwing declines the rest; the server
  // takes that well: its first call is of type `lifespan`, and an application without a lifespan throws here.
  if (scope.type !== "http")
    throw new Error(`This application does not handle the scope type '${scope.type}'.`);

  // A response is two events: the head, and the body.
  await send({
    type: "http.response.start",
    status: 200,
    headers: [["content-type", "text/plain; charset=utf-8"]],
  });
  await send({ type: "http.response.body", body: "Hello from PAGI\n" });
};

export default app;
