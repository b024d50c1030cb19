import type { Application } from "../../../src/spec/index.ts";
import { answerTo } from "../routes.ts";

/** One of the 100 routes by hand: as little as an application can do. */
const app: Application = async (scope, _receive, send) => {
  if (scope.type !== "http") throw new Error(`no ${scope.type} here`);
  const [, collection, id = ""] = scope.path.split("/");
  switch (`${scope.method} ${collection}`) {
    case "GET projects": {
      const body = JSON.stringify(answerTo(id));
      await send({
        type: "http.response.start",
        status: 200,
        headers: [
          ["content-type", "application/json"],
          ["content-length", String(Buffer.byteLength(body))],
        ],
      });
      await send({ type: "http.response.body", body });
      return;
    }
    default:
      await send({ type: "http.response.start", status: 404 });
      await send({ type: "http.response.body" });
  }
};

export default app;
