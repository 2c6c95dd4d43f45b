import { readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { errorCodeOf, messageOf } from "../shared/errors.ts";
import type { LogEntry, Logger } from "../shared/logger.ts";

/** What Node reads of such a file. Whatever else is in it, a private key perhaps, is not copied (CWE-312). */
const CERTIFICATE = /-----BEGIN (X509 )?CERTIFICATE-----[^-]*-----END \1CERTIFICATE-----/g;

const LOSS = "the app is given chanctl's CA alone";
const ANOTHER_FILE = `export NODE_EXTRA_CA_CERTS=<file>     that of your certificates, and start chanctl anew
unset NODE_EXTRA_CA_CERTS     if there is none`;

interface ExtraCaOptions {
  /** The file of chanctl's CA. */
  readonly caPath: string;
  /** The user's own `NODE_EXTRA_CA_CERTS`; empty and absent are the same. */
  readonly given: string | undefined;
  /** `.chanctl`, absolute. */
  readonly stateFolder: string;
  readonly logger: Logger;
}

/**
 * What `NODE_EXTRA_CA_CERTS` is for the app, asked at each of its starts: the file of chanctl's CA, or one with the
 * user's own certificates too, since Node takes one file only. Theirs are those of a company's proxy, say.
 *
 * Never throws: where theirs cannot be had, a warning says why, once for each reason.
 */
export function createExtraCa(options: ExtraCaOptions): () => string {
  const { caPath, given, stateFolder, logger } = options;
  if (given === undefined || given === "") return () => caPath;
  const theirPath = resolve(given);
  const bothPath = join(stateFolder, "extra-ca.pem");
  let told: string | undefined;
  return () => {
    const { path, warning } = putTogether({ caPath, theirPath, bothPath });
    if (warning !== undefined && warning.message !== told) logger(warning);
    told = warning?.message;
    return path;
  };
}

interface Paths {
  readonly caPath: string;
  readonly theirPath: string;
  readonly bothPath: string;
}

function putTogether({ caPath, theirPath, bothPath }: Paths): { path: string; warning?: LogEntry } {
  let theirs: readonly string[];
  try {
    // A pipe, `<(cat ca.pem)`, could be read once only, or never end.
    if (!statSync(theirPath).isFile()) return { path: caPath, warning: unusable(theirPath, "is no file") };
    theirs = certificatesIn(readFileSync(theirPath, "utf8"));
  } catch (error) {
    return { path: caPath, warning: unreadable(theirPath, error) };
  }
  if (theirs.length === 0) return { path: caPath, warning: unusable(theirPath, "holds none") };
  try {
    const own = certificatesIn(readFileSync(caPath, "utf8"));
    const others = theirs.filter((certificate) => !own.includes(certificate));
    if (others.length === 0) return { path: caPath };
    // Node stops at a certificate that it cannot read: ours come before any of theirs.
    replace(bothPath, [...own, ...others].map((certificate) => `${certificate}\n`).join(""));
    return { path: bothPath };
  } catch (error) {
    const message = `${bothPath} cannot be made (${messageOf(error)}): ${LOSS}`;
    const hint = `chmod -R u+rwX "${dirname(bothPath)}"     chanctl must be able to write there`;
    return { path: caPath, warning: warn(message, { path: theirPath, hint }) };
  }
}

/** Each certificate of a text in PEM, written in one way. */
function certificatesIn(text: string): readonly string[] {
  return (text.match(CERTIFICATE) ?? []).map((certificate) => certificate.replaceAll(/\s*\r?\n\s*/g, "\n"));
}

/** Whole or not at all: a process of the app that runs may read it at any moment. */
function replace(path: string, text: string): void {
  if (readIfThere(path) === text) return;
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function unreadable(path: string, error: unknown): LogEntry {
  const code = errorCodeOf(error);
  if (code === "ENOENT") return unusable(path, "is not there");
  const problem = `cannot be read (${code ?? messageOf(error)})`;
  if (code !== "EACCES") return unusable(path, problem);
  return unusable(path, problem, { fix: `chmod u+r "${path}"     the app's next start takes it` });
}

function unusable(path: string, problem: string, { fix = ANOTHER_FILE }: { fix?: string } = {}): LogEntry {
  const message = `\`NODE_EXTRA_CA_CERTS\` must name a file of certificates in PEM, got ${path}, which ${problem}: ${LOSS}`;
  return warn(message, { path, hint: fix });
}

function warn(message: string, fields: { readonly path: string; readonly hint: string }): LogEntry {
  return { level: "warn", event: "extra-ca", message, fields };
}
