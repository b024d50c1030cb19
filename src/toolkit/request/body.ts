import type { Receive } from "../../spec/application.ts";
import type { ConnectionState } from "../../spec/connection-state.ts";
import { bodyChunks } from "./body-chunks.ts";
import { readForm, type FormEntries, type ReadFormOptions } from "./form.ts";
import type { MultipartStream } from "./multipart-stream.ts";
import { BodyTooLargeError, BodyUsedError } from "./error.ts";

const KEY = "pagi.request.body";

/**
 * How the body of one request has been read, in `scope["pagi.request.body"]`: several `PagiRequest` objects of one
 * scope, one in middleware and one in a handler, so share what was read, and cannot take it from each other.
 */
export class RequestBody {
  #use: "whole" | "form" | "stream" | undefined;
  #whole: Promise<Uint8Array> | undefined;
  #form: Promise<FormEntries> | undefined;

  /** The body of a scope, and of the copies that are made of it afterwards. */
  static of(scope: Record<string, unknown>): RequestBody {
    const present = scope[KEY];
    if (present instanceof RequestBody) return present;
    const body = new RequestBody();
    scope[KEY] = body;
    return body;
  }

  /** All bytes; read once. @throws BodyTooLargeError, IncompleteBodyError, BodyUsedError. */
  async whole(receive: Receive, maxBytes: number): Promise<Uint8Array> {
    if (this.#whole === undefined) {
      this.#take("whole");
      this.#whole = readWhole(receive, maxBytes);
    }
    const bytes = await this.#whole;
    if (bytes.byteLength > maxBytes) throw new BodyTooLargeError(maxBytes);
    return bytes;
  }

  /** The chunks, for one reader. @throws BodyUsedError. */
  stream(receive: Receive, maxBytes: number | undefined): AsyncIterator<Uint8Array> {
    this.#take("stream");
    return bodyChunks(receive, maxBytes);
  }

  /** The parts of a multipart form; read once. Its files are removed when the request ends. */
  async form(
    connection: ConnectionState | undefined,
    options: ReadFormOptions,
    open: () => MultipartStream,
  ): Promise<FormEntries> {
    if (this.#form === undefined) {
      const stream = open();
      this.#take("form");
      this.#form = readForm(stream, options, (upload) => {
        const discard = (): void => {
          // The request is over, and a file that cannot be removed is nothing it could be told of.
          upload.discard().catch(() => {});
        };
        connection?.onComplete(discard);
        connection?.onDisconnect(discard);
      });
    }
    return await this.#form;
  }

  #take(use: "whole" | "form" | "stream"): void {
    if (this.#use !== undefined) throw new BodyUsedError(this.#use);
    this.#use = use;
  }
}

async function readWhole(receive: Receive, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bodyChunks(receive, maxBytes)) chunks.push(chunk);
  const [first] = chunks;
  return chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks);
}
