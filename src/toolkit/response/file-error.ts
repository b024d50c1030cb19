import { PagiError } from "../../errors.ts";

/** A file that a response sends is missing, or is not a regular file. */
export class FileError extends PagiError {
  readonly code = "ERR_PAGI_FILE";
  readonly fault = "application";
  readonly path: string;

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(`The file '${path}' ${problem}.`, options);
    this.path = path;
  }
}
