import fs from "node:fs";

import { Folder } from "./program.ts";

/** A certificate and its key, as files. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

const KEY_KINDS = { ec: ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], rsa: ["rsa:2048"] } as const;
type KeyKind = keyof typeof KEY_KINDS;

/** A folder with an authority and the certificates that it issues, all made by openssl. */
export class Certificates implements Disposable {
  readonly #folder = new Folder();
  readonly authority: CertificateFiles;
  #count = 0;

  constructor() {
    this.authority = this.selfSigned("/CN=Test Authority");
  }

  file(name: string): string {
    return this.#folder.file(name);
  }

  /** One that has signed itself. */
  selfSigned(subject: string, kind: KeyKind = "ec"): CertificateFiles {
    const files = this.#next();
    run("req", "-x509", ...newKey(files, kind), "-subj", subject, "-days", "30", "-out", files.cert);
    return files;
  }

  /**
   * One that an authority has signed.
   *
   * @param names for which a server may use it: `DNS:...` and `IP:...`.
   */
  issue(
    subject: string,
    {
      names = [],
      issuer = this.authority,
      isAuthority = false,
    }: {
      names?: readonly string[];
      issuer?: CertificateFiles;
      isAuthority?: boolean;
    } = {},
  ): CertificateFiles {
    const files = this.#next();
    const [request, extensions] = [`${files.cert}.csr`, `${files.cert}.ext`];
    const lines = [`basicConstraints=CA:${isAuthority}`];
    if (names.length > 0) lines.push(`subjectAltName=${names.join(",")}`);
    fs.writeFileSync(extensions, `${lines.join("\n")}\n`);
    run("req", ...newKey(files), "-utf8", "-multivalue-rdn", "-subj", subject, "-out", request);
    const from = ["-CA", issuer.cert, "-CAkey", issuer.key, "-CAcreateserial", "-days", "30"];
    run("x509", "-req", "-in", request, ...from, "-extfile", extensions, "-out", files.cert);
    return files;
  }

  /** A file with several certificates behind each other. */
  bundle(...files: readonly CertificateFiles[]): string {
    const path = this.#next().cert;
    fs.writeFileSync(path, files.map(({ cert }) => fs.readFileSync(cert, "utf8")).join(""));
    return path;
  }

  /** The key of a certificate, encrypted. */
  encrypted({ key }: CertificateFiles, passphrase: string): string {
    const path = this.#next().key;
    run("pkcs8", "-topk8", "-in", key, "-out", path, "-passout", `pass:${passphrase}`);
    return path;
  }

  #next(): CertificateFiles {
    this.#count++;
    return { cert: this.file(`${this.#count}.pem`), key: this.file(`${this.#count}.key`) };
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}

/** The text of a PEM file without what stands around its certificates. */
export function pemOf(file: string): string {
  return fs.readFileSync(file, "utf8").trim();
}

/** Runs openssl and gives its output. */
export function run(...args: string[]): string {
  const path = Bun.which("openssl");
  if (path === null) throw new Error("This test needs openssl: install the package of that name.");
  const { exitCode, stdout, stderr } = Bun.spawnSync([path, ...args]);
  if (exitCode !== 0) throw new Error(`openssl ${args.join(" ")}: ${stderr.toString()}`);
  return stdout.toString();
}

function newKey({ key }: CertificateFiles, kind: KeyKind = "ec"): string[] {
  return ["-newkey", ...KEY_KINDS[kind], "-nodes", "-keyout", key];
}
