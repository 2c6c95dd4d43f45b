import type { AuthorityCertificate } from "../../certs/trust/authority-certificate.ts";
import type { TrustStore } from "../../certs/trust/trust-store.ts";
import type { Io } from "../io.ts";
import { palette } from "../palette.ts";
import { textColumns, wrapColumns } from "../terminal-text.ts";
import { shortPath } from "./row-text.ts";

interface QuestionOptions {
  readonly ca: Pick<AuthorityCertificate, "path">;
  /** The stores that would be changed. */
  readonly missing: readonly TrustStore[];
}

const NEEDS_ROOT = "needs root, asked for by itself";
const GAP = "     ";
/** Below the place that it is about. */
const NOTE_BELOW = `\n${" ".repeat(17)}`;

/** What a person should know before they say yes: what is added where, how far it reaches, how to undo it. */
export function questionText({ ca, missing }: QuestionOptions, io: Pick<Io, "color" | "columns">): string {
  const { dim } = palette(io.color);
  const key = shortPath(ca.path).replace(/ca\.pem$/, "ca-key.pem");
  const why =
    "chanctl serves your app over HTTPS with a certificate authority (CA) that was made for you on this machine. " +
    "Browsers warn until they trust it. It would be added to:";
  const reach =
    "It stays on this machine and can vouch for local names and private addresses only; its key, " +
    `${key}, is for your eyes only. You are asked once.`;
  const rows = missing.map(({ name, place, asRoot }) => {
    const row = `    ${name.padEnd(12)} ${shortPath(place)}`;
    if (asRoot === undefined) return `${row}\n`;
    const gap = textColumns(row) + GAP.length + NEEDS_ROOT.length <= io.columns ? GAP : NOTE_BELOW;
    return `${row}${gap}${dim(NEEDS_ROOT)}\n`;
  });
  const undo = dim("chanctl trust --uninstall     takes it out again");
  return `\n${paragraph(why, io)}\n${rows.join("")}\n${paragraph(reach, io)}  ${undo}\n\n`;
}

/** Indented lines of whole words: a narrow terminal would break in the middle of one. */
function paragraph(text: string, { columns }: Pick<Io, "columns">): string {
  return wrapColumns(text, Math.min(columns, 100) - 3)
    .map((line) => `  ${line}\n`)
    .join("");
}
