import { rm } from "node:fs/promises";
import { PagiRequest } from "pagi-server/request";
import type { Application } from "pagi-server/spec";
import { uploadAnswer, uploadPath } from "../upload-answer.ts";

/** A body as it comes, to the disk. */
const app: Application = async (scope, receive, send) => {
  if (scope.type !== "http") throw new Error(`no ${scope.type} here`);
  const request = new PagiRequest(scope, receive);
  const path = uploadPath();
  await request.bodyStream().streamToFile(path);
  const answer = await uploadAnswer(request.path, path);
  await rm(path);
  await request.response().text(answer).respond(send);
};

export default app;
