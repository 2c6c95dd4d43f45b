import { ACK_TEXT } from "./endpoint.ts";
import type { Endpoint } from "./endpoint.ts";
import { NeedleScanner } from "./needle-scanner.ts";
import { openPoster } from "./open-poster.ts";
import { openReader } from "./open-reader.ts";
import type { Publisher, PublisherOptions } from "./publisher.ts";
import { encodeMaskedFrame } from "./websocket-frame.ts";

/** Every error frame of chanctl is longer than this after its first field. */
const ERROR_BYTES = 40;

/** Opens a connection that publishes: POST one after the other, or frames as many as are wanted in flight. */
export function openPublisher(endpoint: Endpoint, options: PublisherOptions): Promise<Publisher> {
  return endpoint.kind === "post" ? openPoster(endpoint, options) : openWebSocketPublisher(endpoint, options);
}

async function openWebSocketPublisher(endpoint: Endpoint, options: PublisherOptions): Promise<Publisher> {
  const { lane, readBuffer, onAcknowledged, onFailed } = options;
  const acks = new NeedleScanner(ACK_TEXT, { bytesAfter: 0, onFound: onAcknowledged });
  const errors = new NeedleScanner('"control":"error"', {
    bytesAfter: ERROR_BYTES,
    onFound: (bytes, at) => onFailed(bytes.toString("utf8", at)),
  });
  const socket = await openReader(endpoint, {
    lane,
    readBuffer,
    onLost: onFailed,
    onBytes: (bytes) => {
      acks.push(bytes);
      errors.push(bytes);
    },
  });
  return { publish: (payload) => socket.write(encodeMaskedFrame(payload)) };
}
