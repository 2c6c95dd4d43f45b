import { X509Certificate } from "node:crypto";
import { stripVTControlCharacters } from "node:util";
import { fingerprintRows } from "../../certs/fingerprint-rows.ts";
import type { Io } from "../io.ts";
import { palette } from "../palette.ts";
import { wrapColumns } from "../terminal-text.ts";
import { lanUrls, publicUrls } from "./lan.ts";
import type { Lan } from "./lan.ts";
import { renderQrCode } from "./qr-code.ts";

/** What is known of the terminal. */
type LanIo = Pick<Io, "color" | "columns" | "isOutputTerminal">;

interface LanLinesOptions {
  readonly lan: Lan;
  /** The CA that phones are to trust, in PEM; absent: plain HTTP, and none is needed. */
  readonly caPem?: string | undefined;
  /** Where this machine opens the server. */
  readonly serverUrl: string;
}

const INDENT = "  ";
const GAP = "   ";
/** Where the URLs begin. */
const URL_COLUMN = 12;

/** What is shown where others of the network come in: by which URLs, and how a phone does. */
export function networkText(options: LanLinesOptions, io: LanIo): string {
  const { dim } = palette(io.color);
  const urls = urlLines(options, io).map(
    (url, index) => `${INDENT}${dim((index === 0 ? "network" : "").padEnd(9))} ${url}`,
  );
  const phone = phoneLines(options, io);
  return [...urls, ...(phone.length > 0 ? ["", ...phone] : [])].map((line) => `${line}\n`).join("");
}

/** The likeliest first, and which are of a VPN or a container engine, or open to more than the network. */
function urlLines({ lan, serverUrl }: LanLinesOptions, io: LanIo): readonly string[] {
  const { cyan, dim, yellow } = palette(io.color);
  const rows = lanUrls(lan, serverUrl).map(({ url, from }) =>
    from.isVirtual ? `${cyan(url)} ${dim(`(${from.interfaceName})`)}` : cyan(url),
  );
  const open = publicUrls(lan, serverUrl).map((url) => `${yellow(url)} ${yellow("(not private)")}`);
  if (rows.length + open.length > 0) return [...rows, ...open];
  const none = "no address but the loopback's: this machine is in no network";
  return wrapColumns(none, io.isOutputTerminal ? io.columns - URL_COLUMN : none.length).map(dim);
}

/**
 * The QR code that leads a phone to the page that installs the CA, or to the app where there is no TLS, with what it
 * leads to. Empty without a terminal, and where there is no address; only text where the terminal is too narrow.
 */
function phoneLines({ lan, caPem, serverUrl }: LanLinesOptions, io: LanIo): readonly string[] {
  const [first] = lanUrls(lan, serverUrl);
  if (first === undefined || !io.isOutputTerminal) return [];
  const { bold, cyan, dim } = palette(io.color);
  const target = caPem === undefined ? first.url : `http://${new URL(first.url).host}/_chanctl/phone`;
  const text = [
    bold("On a phone of the same network"),
    cyan(target),
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
  const code = renderQrCode(target, io);
  const codeColumns = stripVTControlCharacters(code[0] ?? "").length;
  if (io.columns < INDENT.length + codeColumns) return text.map((line) => INDENT + line);
  const textColumns = Math.max(...text.map((line) => stripVTControlCharacters(line).length));
  if (io.columns < INDENT.length + codeColumns + GAP.length + textColumns) {
    return [...code, "", ...text].map((line) => INDENT + line);
  }
  const top = Math.max(0, Math.floor((code.length - text.length) / 2));
  return code.map((line, index) => `${INDENT}${line}${GAP}${text[index - top] ?? ""}`.trimEnd());
}
