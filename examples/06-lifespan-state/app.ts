import type { Application } from "pagi-server";
import { UnsupportedScopeError } from "pagi-server";

/** What all requests share. In a real application: a pool of database connections, a cache, a client. */
class Greeter {
  readonly #greeting: string;
  #visits = 0;

  constructor(greeting: string) {
    this.#greeting = greeting;
  }

  greet(): string {
    this.#visits++;
    return `${this.#greeting} This is visit ${this.#visits}.\n`;
  }
}

const app: Application = async (scope, receive, send) => {
  switch (scope.type) {
    // Called once, and running as long as the server does: it waits for two events and answers both.
    case "lifespan": {
      await receive(); // lifespan.startup; no connection is accepted before it is answered
      if (scope.pagi.role === "supervisor") {
        // With workers, the supervisor has a lifespan too, but serves no requests and needs no greeter.
        await send({ type: "lifespan.startup.complete" });
        return;
      }
      const greeting = process.env["GREETING"] ?? "Hello from lifespan.";
      if (greeting === "") {
        // The server then does not start. It shows the message and exits with code 1.
        await send({ type: "lifespan.startup.failed", message: "GREETING is empty." });
        return;
      }
      scope.state["greeter"] = new Greeter(greeting);
      console.error("startup: the greeter is ready");
      await send({ type: "lifespan.startup.complete" });

      await receive(); // lifespan.shutdown; the last request has been answered
      console.error("shutdown: the greeter is put away");
      await send({ type: "lifespan.shutdown.complete" });
      return;
    }

    // Called for each request. Its `state` is a copy of its own of what startup left: what stands in it is shared,
    // while keys that a request adds are seen by that request alone.
    case "http": {
      const { greeter } = scope.state;
      if (!(greeter instanceof Greeter))
        throw new Error("The lifespan has not run; do not use --lifespan off.");
      await send({
        type: "http.response.start",
        status: 200,
        headers: [["content-type", "text/plain; charset=utf-8"]],
      });
      await send({ type: "http.response.body", body: greeter.greet() });
      return;
    }

    default:
      throw new UnsupportedScopeError(scope.type);
  }
};

export default app;
