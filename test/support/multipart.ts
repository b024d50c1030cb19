/** A part of a form that a test sends. */
export interface FormPart {
  readonly name: string;
  readonly filename?: string;
  readonly type?: string;
  readonly content: string;
}

/** The Content-Type of {@link multipartBody}. */
export const MULTIPART = "multipart/form-data; boundary=----test";

/** The head of a part, with the delimiter in front of it. */
export function partHead({ name, filename, type }: Omit<FormPart, "content">): string {
  const file = filename === undefined ? "" : `; filename="${filename}"`;
  const lines = ["------test", `Content-Disposition: form-data; name="${name}"${file}`];
  if (type !== undefined) lines.push(`Content-Type: ${type}`);
  return [...lines, "", ""].join("\r\n");
}

/** A whole form. */
export function multipartBody(...parts: readonly FormPart[]): string {
  return `${parts.map((part) => `${partHead(part)}${part.content}\r\n`).join("")}------test--\r\n`;
}
