import { X509Certificate } from "node:crypto";
import { stripVTControlCharacters } from "node:util";
import { fingerprintRows } from "../../certs/fingerprint-rows.ts";
import type { Io } from "../io.ts";
import { palette } from "../palette.ts";
import { wrapColumns } from "../terminal-text.ts";
import { toLanAccess } from "./lan-access.ts";
import type { LanServer } from "./lan-access.ts";
import { lanUrls, publicUrls } from "./lan.ts";
import { renderQrCode } from "./qr-code.ts";

/** What is known of the terminal. */
type LanIo = Pick<Io, "color" | "columns" | "rows" | "isOutputTerminal">;

const INDENT = "  ";
const GAP = "   ";
/** Where the URLs begin. */
const URL_COLUMN = 12;
/** Below the code: an empty line, and the status line. */
const ROWS_BELOW = 2;

/** By which URLs others of the network come in: the likeliest first, and which are open to more than the network. */
export function urlRows(server: LanServer, io: LanIo): string {
  return toRows("network", urlLines(server, io), io);
}

/**
 * How a phone of the network comes in. On a terminal a QR code that leads to the page that installs the CA, or to the
 * app where there is no TLS, with what it leads to; only text where the terminal is too small for it. Elsewhere rows.
 * Empty where there is no address, and elsewhere without TLS, where the first URL is all that there is to it.
 */
export function phoneText(server: LanServer, io: LanIo): string {
  const { phoneUrl, caFingerprint } = toLanAccess(server);
  if (phoneUrl === undefined) return "";
  if (io.isOutputTerminal) return `\n${phoneLines(phoneUrl, { caPem: server.caPem, io }).join("\n")}\n`;
  if (caFingerprint === undefined) return "";
  const { cyan } = palette(io.color);
  const steps = [
    "installs the CA, then opens the app;",
    `compare the CA's fingerprint there: ${caFingerprint}`,
  ];
  return toRows("phone", [cyan(phoneUrl), ...steps], io);
}

/** Which are of a VPN or a container engine is told, too. */
function urlLines({ lan, serverUrl }: LanServer, io: LanIo): readonly string[] {
  const { cyan, dim, yellow } = palette(io.color);
  const rows = lanUrls(lan, serverUrl).map(({ url, from }) =>
    from.isVirtual ? `${cyan(url)} ${dim(`(${from.interfaceName})`)}` : cyan(url),
  );
  const open = publicUrls(lan, serverUrl).map((url) => `${yellow(url)} ${yellow("(not private)")}`);
  if (rows.length + open.length > 0) return [...rows, ...open];
  const none = "no address but the loopback's: this machine is in no network";
  return wrapColumns(none, io.isOutputTerminal ? io.columns - URL_COLUMN : none.length).map(dim);
}

function toRows(label: string, lines: readonly string[], { color }: LanIo): string {
  const { dim } = palette(color);
  return lines
    .map((line, index) => `${INDENT}${dim((index === 0 ? label : "").padEnd(9))} ${line}\n`)
    .join("");
}

function phoneLines(
  phoneUrl: string,
  { caPem, io }: { readonly caPem: string | undefined; readonly io: LanIo },
): readonly string[] {
  const { bold, cyan, dim } = palette(io.color);
  const text = [
    bold("On a phone of the same network"),
    cyan(phoneUrl),
    ...(caPem === undefined
      ? []
      : [
          "",
          "installs the CA, then opens the app;",
          "compare the CA's fingerprint there:",
          "",
          ...fingerprintRows(new X509Certificate(caPem)).map(dim),
        ]),
  ];
  const code = renderQrCode(phoneUrl, io);
  const codeColumns = stripVTControlCharacters(code[0] ?? "").length;
  const isTooSmall = io.columns < INDENT.length + codeColumns || io.rows < code.length + ROWS_BELOW;
  if (isTooSmall) return text.map((line) => INDENT + line);
  const textColumns = Math.max(...text.map((line) => stripVTControlCharacters(line).length));
  if (io.columns < INDENT.length + codeColumns + GAP.length + textColumns) {
    // The code comes last: it is of use only as long as all of it is on the screen.
    return [...text, "", ...code].map((line) => INDENT + line);
  }
  const top = Math.max(0, Math.floor((code.length - text.length) / 2));
  return code.map((line, index) => `${INDENT}${line}${GAP}${text[index - top] ?? ""}`.trimEnd());
}
