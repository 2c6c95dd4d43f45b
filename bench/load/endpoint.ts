/** Where and how a load generator speaks to a target. Plain, so that it can be sent between processes. */
export interface Endpoint {
  readonly kind: "post" | "ws" | "sse";
  /** What a `post` endpoint is asked with; a GET sends no message. @default "POST" */
  readonly method?: "GET";
  /** `{lane}` in it is replaced by the lane's number: a stream for each lane. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What goes around a message's JSON when it is published. @default nothing */
  readonly wrap?: { readonly prefix: string; readonly suffix: string };
  /** Text frame to send first, on a WebSocket. */
  readonly hello?: string;
  /** The connection is live once this has come; absent: once its handshake is done. */
  readonly readyText?: string;
  /** How a reader comes back to where it was. */
  readonly resume?: Resume;
}

/** Positions of a target: fixed in length, so that they can be found without parsing. */
export interface Resume {
  /** What comes just before a position in all that is read: `"id":"`. */
  readonly idText: string;
  readonly idBytes: number;
  /** The query parameter that takes one. */
  readonly parameter: string;
}

/** What publishers count as an acknowledgement on a WebSocket. No message contains it. */
export const ACK_TEXT = '"ack"';

/** The endpoint's URL for one lane. */
export function urlOf(endpoint: Endpoint, lane: number): URL {
  return new URL(endpoint.url.replace("{lane}", String(lane)));
}
