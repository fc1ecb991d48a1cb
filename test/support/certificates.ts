import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** An authority of the tests' own, and a certificate by it for 127.0.0.1 and localhost. */
export interface Certificates {
  /** What a client has to trust, as PEM. */
  readonly ca: string;
  /** What a server needs to take nothing but TLS on a port. */
  serverArgs(port: number): string[];
  /** Deletes the files. */
  remove(): void;
}

const HOW_TO_INSTALL =
  "No openssl found, which the tests of TLS need (Debian: apt-get install openssl, macOS: brew install openssl).";

const EC_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** Makes certificates in a temp folder. @throws Error that says how to get openssl. */
export function makeCertificates(): Certificates {
  const dir = mkdtempSync(join(tmpdir(), "throttled-tls-"));
  const file = (name: string): string => join(dir, name);
  const [ca, caKey, key, csr, cert] = ["ca.crt", "ca.key", "key", "csr", "crt"].map(file) as [
    string,
    string,
    string,
    string,
    string,
  ];
  writeFileSync(file("san"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
  openssl(
    "req",
    "-x509",
    ...EC_KEY,
    "-keyout",
    caKey,
    "-out",
    ca,
    "-days",
    "2",
    "-subj",
    "/CN=test authority",
  );
  openssl("req", ...EC_KEY, "-keyout", key, "-out", csr, "-subj", "/CN=test server");
  const authority = ["-CA", ca, "-CAkey", caKey, "-CAcreateserial"];
  openssl("x509", "-req", "-in", csr, ...authority, "-out", cert, "-days", "2", "-extfile", file("san"));
  const files = ["--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", ca];
  return {
    ca: readFileSync(ca, "utf8"),
    serverArgs: (port) => ["--port", "0", "--tls-port", `${port}`, "--tls-auth-clients", "no", ...files],
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

function openssl(...args: string[]): void {
  try {
    execFileSync("openssl", args, { stdio: "pipe" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") throw new Error(HOW_TO_INSTALL);
    throw error;
  }
}
