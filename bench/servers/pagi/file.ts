import { statSync } from "node:fs";
import type { Application } from "../../../src/spec/index.ts";

const FILE = process.env["BENCH_FILE"] ?? "";
const LENGTH = String(statSync(FILE).size);

/** A file from disk. */
const file: Application = async (scope, _receive, send) => {
  if (scope.type !== "http") throw new Error(`no ${scope.type} here`);
  await send({
    type: "http.response.start",
    status: 200,
    headers: [
      ["content-type", "application/octet-stream"],
      ["content-length", LENGTH],
    ],
  });
  await send({ type: "http.response.body", file: FILE });
};

export default file;
