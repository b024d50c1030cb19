// The subject of a certificate as text. Node's own text is one line for each part, in the certificate's order, and
// not escaped as RFC 4514 asks; what is read here is the certificate itself (X.509 in DER).

/** Short names of attribute types: RFC 4514 section 3, and others that are in use (RFC 4519, RFC 2985). */
const NAMES: Readonly<Record<string, string>> = {
  "2.5.4.3": "CN",
  "2.5.4.4": "SN",
  "2.5.4.5": "serialNumber",
  "2.5.4.6": "C",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.9": "STREET",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
  "2.5.4.12": "title",
  "2.5.4.42": "givenName",
  "2.5.4.43": "initials",
  "2.5.4.44": "generationQualifier",
  "2.5.4.46": "dnQualifier",
  "0.9.2342.19200300.100.1.1": "UID",
  "0.9.2342.19200300.100.1.25": "DC",
  "1.2.840.113549.1.9.1": "emailAddress",
};

/** Tags of DER (X.690). */
const TAG = {
  oid: 0x06,
  utf8: 0x0c,
  numeric: 0x12,
  printable: 0x13,
  teletex: 0x14,
  ia5: 0x16,
  universal: 0x1c,
  bmp: 0x1e,
  sequence: 0x30,
  set: 0x31,
  version: 0xa0,
} as const;

/** One element of DER. */
interface Element {
  readonly tag: number;
  readonly content: Buffer;
  /** With its tag and length. */
  readonly whole: Buffer;
}

/**
 * The name of the subject of a certificate, as RFC 4514 writes it: the most specific part first.
 *
 * @param certificate DER.
 * @throws RangeError for bytes that are no certificate.
 */
export function subjectName(certificate: Uint8Array): string {
  const [outer] = elementsOf(Buffer.from(certificate));
  const [body] = elementsOf(expectTag(outer, TAG.sequence).content);
  const fields = elementsOf(expectTag(body, TAG.sequence).content);
  // RFC 5280 section 4.1: [version], serial number, signature, issuer, validity, subject.
  const subject = fields[fields[0]?.tag === TAG.version ? 5 : 4];
  return elementsOf(expectTag(subject, TAG.sequence).content)
    .map((part) => elementsOf(expectTag(part, TAG.set).content).map(attributeText).toReversed().join("+"))
    .toReversed()
    .join(",");
}

function attributeText(attribute: Element): string {
  const [type, value] = elementsOf(expectTag(attribute, TAG.sequence).content);
  if (value === undefined) throw new RangeError("an attribute of a name has no value");
  const oid = oidText(expectTag(type, TAG.oid).content);
  const name = NAMES[oid];
  const text = name === undefined ? undefined : stringOf(value);
  // RFC 4514 section 2.4: what has no short name, or is no string, is the hexadecimal form of its DER.
  return `${name ?? oid}=${text === undefined ? `#${value.whole.toString("hex")}` : escapeValue(text)}`;
}

function stringOf({ tag, content }: Element): string | undefined {
  switch (tag) {
    case TAG.utf8:
      return content.toString("utf8");
    case TAG.numeric:
    case TAG.printable:
    case TAG.teletex:
    case TAG.ia5:
      return content.toString("latin1");
    case TAG.bmp:
      return content.length % 2 === 0 ? Buffer.from(content).swap16().toString("utf16le") : undefined;
    case TAG.universal:
      return universalText(content);
    default:
      return undefined;
  }
}

function universalText(content: Buffer): string | undefined {
  if (content.length % 4 !== 0) return undefined;
  let text = "";
  for (let at = 0; at < content.length; at += 4) {
    const code = content.readUInt32BE(at);
    if (code > 0x10ffff) return undefined;
    text += String.fromCodePoint(code);
  }
  return text;
}

/** RFC 4514 section 2.4. Control characters are escaped too, so that a name cannot forge a line of a log. */
function escapeValue(value: string): string {
  const escaped = value
    .replace(/["+,;<>\\]/g, "\\$&")
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (char) =>
      Buffer.from(char).toString("hex").toUpperCase().replace(/../g, "\\$&"),
    )
    .replace(/^[ #]/, "\\$&");
  return value.length > 1 && value.endsWith(" ") ? `${escaped.slice(0, -1)}\\ ` : escaped;
}

function oidText(bytes: Buffer): string {
  const numbers: bigint[] = [];
  let number = 0n;
  for (const byte of bytes) {
    number = (number << 7n) | BigInt(byte & 0x7f);
    if (byte & 0x80) continue;
    numbers.push(number);
    number = 0n;
  }
  const [first = 0n, ...rest] = numbers;
  const top = first < 80n ? first / 40n : 2n;
  return [top, first - top * 40n, ...rest].join(".");
}

function expectTag(element: Element | undefined, tag: number): Element {
  if (element?.tag !== tag) throw new RangeError(`no element with the tag 0x${tag.toString(16)}`);
  return element;
}

/** The elements that lie one behind the other in `bytes`. */
function elementsOf(bytes: Buffer): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes.readUInt8(at);
    const first = bytes.readUInt8(at + 1);
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    if (lengthBytes > 4) throw new RangeError("an element that is too long");
    const length = first < 0x80 ? first : bytes.readUIntBE(at + 2, lengthBytes);
    const start = at + 2 + lengthBytes;
    const end = start + length;
    if (end > bytes.length) throw new RangeError("an element that ends behind its container");
    elements.push({ tag, content: bytes.subarray(start, end), whole: bytes.subarray(at, end) });
    at = end;
  }
  return elements;
}
