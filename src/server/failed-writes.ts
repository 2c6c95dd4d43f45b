import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Rounds } from "./rounds.ts";
import { tcpHandleOf } from "./tcp-handle.ts";

/** The socket under the TLS. */
type MaybeTls = Duplex & { readonly _parent?: Socket | null };

const CHECK_MS = 1_000;

/**
 * Notices the HTTP/2 clients that died while they were behind, and lets Node end their sessions.
 *
 * Node reads nothing from an HTTP/2 connection while a write to it is under way, and forgets that such a write has
 * failed: it begins the next one, which waits for the failed one for ever. No event of the stream, the session or
 * the socket tells of it, no ping fails, and whatever the client asked for is sent to nobody (CWE-772).
 *
 * To read again is enough, for the kernel then says what has become of the connection. A session whose write has
 * failed is one of those with nothing left for the kernel to take; the others of them are reading already, and there
 * it changes nothing. One that waits for a slow client has bytes left, and is let alone.
 *
 * @see https://github.com/nodejs/node/blob/v20.20.0/src/crypto/crypto_tls.cc (`TLSWrap::OnStreamAfterWrite`)
 * @see https://github.com/nodejs/node/blob/v20.20.0/src/node_http2.cc (`Http2Session::OnStreamAfterWrite`)
 */
export class FailedWrites {
  readonly #rounds = new Rounds<ServerHttp2Session, Socket>({
    everyMs: CHECK_MS,
    look: (_session, socket) => {
      const handle = tcpHandleOf(socket);
      if (handle?.writeQueueSize === 0) handle.readStart?.();
      return socket;
    },
  });

  /** Looks after a session until it closes. */
  watch(session: ServerHttp2Session): void {
    const { _parent: tcp }: MaybeTls = session.socket;
    if (!tcp) return;
    this.#rounds.add(session, tcp);
    session.once("close", () => this.#rounds.remove(session));
  }
}
