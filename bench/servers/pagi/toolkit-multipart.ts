import { rm } from "node:fs/promises";
import { PagiRequest } from "pagi-server/request";
import type { Application } from "pagi-server/spec";
import { uploadAnswer, uploadPath } from "../upload-answer.ts";

/** The file of a form, part by part to the disk. */
const app: Application = async (scope, receive, send) => {
  if (scope.type !== "http") throw new Error(`no ${scope.type} here`);
  const request = new PagiRequest(scope, receive);
  const path = uploadPath();
  for await (const part of request.multipart({ maxFileSize: 2 ** 31, maxRequestBody: 2 ** 31 })) {
    if (part.isFile()) await part.streamToFile(path);
  }
  const answer = await uploadAnswer(request.path, path);
  await rm(path);
  await request.response().text(answer).respond(send);
};

export default app;
