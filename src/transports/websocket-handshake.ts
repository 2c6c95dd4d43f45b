import type { IncomingMessage } from "node:http";
import { clip } from "../shared/clip.ts";
import { ChanctlError } from "../shared/errors.ts";

/** Why a request to switch protocols gets an answer of HTTP. */
export interface HandshakeRefusal {
  readonly error: ChanctlError;
  /** What its status asks for beside the problem body. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Of the protocol as it was standardised; drafts took the page's origin from another header (RFC 6455, section 1.9). */
const VERSION = "13";

/**
 * What is wrong with a request to switch to WebSocket, as far as `ws` does not look: it would take a draft's version
 * and read a body as frames.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6455#section-4.2.1
 */
export function findHandshakeFault({
  method,
  httpVersion,
  headers,
}: IncomingMessage): HandshakeRefusal | undefined {
  const { upgrade, "sec-websocket-version": version } = headers;
  if (upgrade?.toLowerCase() !== "websocket") {
    const hint = "leave `Upgrade` out; HTTP/2 is spoken over TLS only";
    return malformed(`\`Upgrade\` must be websocket, got \`${clip(upgrade ?? "nothing")}\``, hint);
  }
  if (method !== "GET") {
    const error = new ChanctlError(
      "method_not_allowed",
      `the method of a handshake must be GET, got ${method}`,
    );
    return { error, headers: { allow: "GET" } };
  }
  if (httpVersion === "1.0") return malformed("a handshake must be made over HTTP/1.1, got HTTP/1.0");
  if (headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) !== 0) {
    return malformed("a handshake must have no body");
  }
  if (version === VERSION) return undefined;
  const message = `\`Sec-WebSocket-Version\` must be ${VERSION}, got \`${version ?? "nothing"}\``;
  // RFC 9110, section 15.5.22, and RFC 6455, section 4.4.
  const wanted = { upgrade: "websocket", connection: "upgrade, close", "sec-websocket-version": VERSION };
  return { error: new ChanctlError("websocket_version_unsupported", message), headers: wanted };
}

function malformed(message: string, hint?: string): HandshakeRefusal {
  return { error: new ChanctlError("malformed", message, hint === undefined ? {} : { hint }) };
}
