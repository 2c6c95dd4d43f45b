import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { Server } from "ws";
import { ChanctlError } from "../shared/errors.ts";
import { parseStart } from "../protocol/start.ts";
import { SUB_PROTOCOL } from "../protocol/websocket-frame.ts";
import { addressOf } from "./access.ts";
import { findChannel, resolveTarget } from "./channel-target.ts";
import type { ChannelUrl } from "./channel-target.ts";
import type { TransportContext } from "./context.ts";
import { assertOriginAllowed } from "./cors.ts";
import { HeldWebSocket } from "./held-web-socket.ts";
import { headerOf } from "./http.ts";
import { endWithProblem } from "./socket-answer.ts";
import { WebSocketConnection } from "./websocket-connection.ts";
import type { Opening } from "./websocket-connection.ts";
import { findHandshakeFault } from "./websocket-handshake.ts";
import type { HandshakeRefusal } from "./websocket-handshake.ts";

export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly url: ChannelUrl;
}

/** What a frame holds beside the message's data: type, ref and key, at their longest and all in `\u` escapes. */
const FRAME_OVERHEAD_BYTES = 4_096;
/** How long a peer may take to answer a close frame: it is counted no longer, and must not stay. */
const CLOSE_TIMEOUT_MS = 5_000;
const TOKEN_PROTOCOL = /(?:^|,)\s*bearer\.([^\s,]+)/;

/**
 * `GET /channels/<name>` with `Upgrade: websocket`.
 *
 * A browser cannot read the HTTP status of a refused upgrade, so whatever is a well-formed handshake is
 * completed, and a refusal is a close code right after it.
 */
export class WebSocketRoute {
  readonly #context: TransportContext;
  readonly #server: Server<typeof HeldWebSocket>;

  constructor(context: TransportContext) {
    this.#context = context;
    const options = {
      noServer: true,
      WebSocket: HeldWebSocket,
      clientTracking: false,
      autoPong: false, // see `answerPings`
      closeTimeout: CLOSE_TIMEOUT_MS, // an option that its types lack
      perMessageDeflate: false, // costs six times a plain write, and a window of memory a connection
      handleProtocols: (offered: ReadonlySet<string>) => offered.has(SUB_PROTOCOL) && SUB_PROTOCOL,
    };
    this.#server = new WebSocketServer(options);
    this.#server.on("wsClientError", ({ message }, socket, request) =>
      this.#refuse(request, socket, { error: new ChanctlError("malformed", message) }),
    );
  }

  upgrade(upgrade: Upgrade): void {
    const { request, socket, head } = upgrade;
    // Until the handshake is done nobody else listens: an error here would end the process.
    socket.on("error", () => socket.destroy());
    const fault = findHandshakeFault(request);
    if (fault !== undefined) return this.#refuse(request, socket, fault);
    // Read by ws at each handshake: the limit may have been changed since the last.
    this.#server.options.maxPayload = this.#context.limits.maxMessageBytes + FRAME_OVERHEAD_BYTES;
    this.#server.handleUpgrade(request, socket, head, (webSocket) => this.#serve(webSocket, upgrade));
  }

  #refuse(request: IncomingMessage, socket: Duplex, { error, headers }: HandshakeRefusal): void {
    this.#context.refusals.note({ error, address: addressOf(request), transport: "ws" });
    endWithProblem(socket, error, headers);
  }

  #serve(webSocket: HeldWebSocket, { request, socket, url }: Upgrade): void {
    const connection = new WebSocketConnection(this.#context, {
      request,
      socket,
      webSocket,
      channel: url.name,
    });
    void connection.serve(() => this.#parse(request, url));
  }

  /** What is asked for, before anyone is asked whether it may be had. */
  #parse(request: IncomingMessage, url: ChannelUrl): Opening {
    const { registry, audience } = this.#context;
    const channel = findChannel(registry, url.name);
    if (url.resource !== "channel")
      throw new ChanctlError("channel_unknown", "messages are POSTed, not upgraded");
    assertOriginAllowed(request, this.#context);
    if (channel.definition.transport !== "ws" && audience === "public") {
      throw new ChanctlError("transport_forbidden", `the channel \`${url.name}\` is served as SSE only`);
    }
    return {
      target: resolveTarget(channel, url.search),
      start: parseStart({
        lastEventId: headerOf(request, "last-event-id"),
        lastMessageId: url.query.get("last_message_id") ?? undefined,
        rewind: url.query.get("rewind") ?? undefined,
      }),
      token:
        url.query.get("token") || TOKEN_PROTOCOL.exec(headerOf(request, "sec-websocket-protocol") ?? "")?.[1],
    };
  }
}
