import { dirname, join } from "node:path";

import type { AuthorityCertificate } from "../../certs/trust/authority-certificate.ts";
import { fixLines } from "../fix-lines.ts";
import type { Io } from "../io.ts";
import { wrapColumns } from "../terminal-text.ts";

const TOLD_BEFORE_MS = 42 * 86_400_000;
const FIX = "  fix: ";

/** What is said at a start in the last six weeks of the CA, which lives for ten years; `undefined` before. */
export function authorityEndText(
  { path, validTo }: Pick<AuthorityCertificate, "path" | "validTo">,
  { now, io }: { readonly now: number; readonly io: Pick<Io, "isTerminal" | "columns"> },
): string | undefined {
  if (validTo - now > TOLD_BEFORE_MS) return undefined;
  const columns = io.isTerminal ? io.columns : Infinity;
  const day = new Date(validTo).toISOString().slice(0, 10);
  const message = `your local CA ends on ${day}, and HTTPS with it; a new one has to be trusted anew`;
  const fix = [
    "chanctl trust --uninstall    takes the old one out, then",
    `rm -f "${path}" "${join(dirname(path), "ca-key.pem")}"`,
    "chanctl trust    makes the new one and adds it",
  ].join("\n");
  const fixed = fixLines(fix, columns - FIX.length).join(`\n${" ".repeat(FIX.length)}`);
  return `${wrapColumns(message, columns - 1).join("\n")}\n${FIX}${fixed}\n`;
}
