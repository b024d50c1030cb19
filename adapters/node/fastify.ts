import { messageOf } from "../../src/errors.ts";
import { dispatch, type Application } from "../../src/spec/application.ts";
import { fromNode, type NodeListener } from "../node.ts";

/** As much of a Fastify instance as is needed here. */
export interface FastifyInstance {
  ready(): PromiseLike<unknown>;
  close(): PromiseLike<unknown>;
  routing: NodeListener;
}

/**
 * Makes an application of a Fastify instance. Its `onReady` hooks run at the startup of the lifespan, and its `onClose`
 * hooks at the shutdown, where requests are served; where the server drives no lifespan, the first request waits for the former.
 */
export function fromFastify(instance: FastifyInstance): Application {
  let readiness: Promise<unknown> | undefined;
  const ready = (): Promise<unknown> => (readiness ??= Promise.resolve(instance.ready()));
  const requests = fromNode((request, response) => instance.routing(request, response));
  const life = dispatch({
    async lifespan({ pagi }, receive, send) {
      // A supervisor serves no requests: whatever the hooks open there would stay unused.
      const serves = pagi.role !== "supervisor";
      await receive();
      try {
        if (serves) await ready();
      } catch (error) {
        return await send({ type: "lifespan.startup.failed", message: messageOf(error) });
      }
      await send({ type: "lifespan.startup.complete" });
      await receive();
      try {
        if (serves) await instance.close();
      } catch (error) {
        return await send({ type: "lifespan.shutdown.failed", message: messageOf(error) });
      }
      await send({ type: "lifespan.shutdown.complete" });
    },
  });
  return async (scope, receive, send) => {
    if (scope.type === "lifespan") return await life(scope, receive, send);
    await ready();
    await requests(scope, receive, send);
  };
}
