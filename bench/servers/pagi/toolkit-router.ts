import { PagiRequest } from "pagi-server/request";
import { Router } from "pagi-server/router";
import { answerTo, ROUTES } from "../routes.ts";

/** The 100 routes, in the router of the toolkit. */
const router = new Router();

for (const { method, path } of ROUTES) {
  router[method](path, async (scope, receive, send) => {
    const request = new PagiRequest(scope, receive);
    const id = request.pathParam("id", { strict: false }) ?? "";
    await request.response().json(answerTo(id)).respond(send);
  });
}

export default router.toApp();
