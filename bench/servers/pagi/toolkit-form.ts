import { PagiRequest } from "pagi-server/request";
import type { Application } from "pagi-server/spec";
import { uploadAnswer } from "../upload-answer.ts";

/** The file of a form, which the toolkit writes to the disk and removes after the response. */
const app: Application = async (scope, receive, send) => {
  if (scope.type !== "http") throw new Error(`no ${scope.type} here`);
  const request = new PagiRequest(scope, receive);
  const upload = await request.upload("file", { maxFileSize: 2 ** 31, maxRequestBody: 2 ** 31 });
  const answer = await uploadAnswer(request.path, upload?.tempPath ?? "");
  await request.response().text(answer).respond(send);
};

export default app;
