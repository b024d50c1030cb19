import { rm } from "node:fs/promises";
import { Hono } from "hono";
import { uploadAnswer, uploadPath } from "./upload-answer.ts";

/** The file of a form, written to the disk, by Hono. */
export const app = new Hono();

app.post("*", async (context) => {
  const { file } = await context.req.parseBody();
  if (!(file instanceof File)) return context.text("no file", 400);
  const path = uploadPath();
  await Bun.write(path, file);
  const answer = await uploadAnswer(context.req.path, path);
  await rm(path);
  return context.text(answer);
});
