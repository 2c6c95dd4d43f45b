/** Where a behaviour is to be seen. */
export type Over = "SSE" | "WebSocket" | "HTTP";

/** One row of what a channel must do: a name, and each place where a test must show it. */
export interface Row {
  readonly name: string;
  readonly over: readonly Over[];
}

/** Rows that belong together; each section has a test file of its name in this folder. */
export interface Section {
  readonly title: string;
  /** `test/behaviours/<file>.test.ts`. */
  readonly file: string;
  readonly rows: readonly Row[];
}

const BOTH: readonly Over[] = ["SSE", "WebSocket"];
const WS: readonly Over[] = ["WebSocket"];
const SSE: readonly Over[] = ["SSE"];
const HTTP: readonly Over[] = ["HTTP"];
/** Two ways to read, and the POST that publishes. */
const ALL: readonly Over[] = ["SSE", "WebSocket", "HTTP"];
/** The two ways in which a client publishes. */
const PUBLISHES: readonly Over[] = ["WebSocket", "HTTP"];

/**
 * Every behaviour that a channel promises. A test belongs to a row when it stands in a `describe("over <place>")`
 * and its title begins with the row's name and a colon: "`rewind=<n>`: sends the last n messages, then live". A name
 * that is a claim already may stand alone, or go on after a comma.
 *
 * `npm run docs` makes `docs/behaviours.md` from these rows and the titles; a row without a test is a gap, and
 * `test/docs/behaviours.test.ts` fails.
 */
export const SECTIONS: readonly Section[] = [
  {
    title: "Where a subscriber starts",
    file: "starts",
    rows: [
      row("no id", BOTH),
      row("Last-Event-ID", BOTH),
      row("last_message_id", BOTH),
      row("Last-Event-ID before last_message_id before rewind", BOTH),
      row("rewind=<n>", BOTH),
      row("rewind=<duration>", BOTH),
      row("start", BOTH),
      row("the first position", BOTH),
      row("a stream nobody has published to", BOTH),
      row("410: an id from which everything was pruned", BOTH),
      row("410: an id of which only the next message was pruned", BOTH),
      row("410: an id ahead of the tail", BOTH),
      row("410: an id of another stream", BOTH),
      row("410: an id of an earlier life", BOTH),
      row("410: the origin once anything was pruned", BOTH),
      row("410: one user's shorter window, nobody else's", BOTH),
      row("410: names oldest and newest", BOTH),
      row("no 410: the client's last message was pruned, nothing after it", BOTH),
      row("410: decided by time before anything is pruned", BOTH),
      row("malformed id or rewind", BOTH),
    ],
  },
  {
    title: "What the app is asked, and what its answer does",
    file: "answers",
    rows: [
      row("ok:true", ALL),
      row("ok:true with operations that lack the one asked for", ALL),
      row("ok:false", ALL),
      row("ok:false with status 401", ALL),
      row("ok:false with status 403", ALL),
      row("ok:false with status 404", ALL),
      row("ok:false with any other status", ALL),
      row("the app's own 401", ALL),
      row("the app's own 403", ALL),
      row("the app's own 404", ALL),
      row("5xx", ALL),
      row("a redirect", ALL),
      row("garbage", ALL),
      row("an answer that is too big", ALL),
      row("no answer in time", ALL),
      row("refused, reset, 502, 503 and 504 while the app restarts", ALL),
      row("no credential where auth names one", ALL),
      row("header or cookie, one is enough", ALL),
      row("?token= counts as Bearer", ALL),
      row("a bearer sub-protocol", WS),
      row("a first auth frame", WS),
      row("an auth frame on a live connection", WS),
      row("expiresAt", ALL),
      row("expiresAt in the past", ALL),
      row("replayWindowMs of the answer", BOTH),
      row("keepaliveIntervalMs of the answer", BOTH),
      row("maxConnectionLifetimeMs of the answer", BOTH),
      row("inactivityTtlMs of the answer", BOTH),
      row("a setting out of bounds", BOTH),
      row("identical calls in flight are made once", ALL),
      row("calls at a time are bounded", ALL),
      row("on-publish calls have places of their own", WS),
      row("a caller that has left is not asked about", ALL),
      row("a caller that waits for the app counts as a connection", BOTH),
      row("disconnect by subject", BOTH),
      row("an Origin that is not the host's", ALL),
      row("an Origin in allowedOrigins", ALL),
      row("no Origin", ALL),
      row("a preflight", HTTP),
      row("the internal token in public", ALL),
      row("/channels/authorize and /channels/on-publish from outside", HTTP),
      row("a refusal is in the log", ALL),
    ],
  },
  {
    title: "Lifecycle",
    file: "lifecycle",
    rows: [
      row("replayWindowMs", BOTH),
      row("replayWindowMs: 0", BOTH),
      row("inactivityTtlMs", BOTH),
      row("inactivityTtlMs: a subscriber keeps the stream", BOTH),
      row("keepaliveIntervalMs", BOTH),
      row("maxConnectionLifetimeMs", BOTH),
      row("maxMessages", BOTH),
      row("maxBytes", BOTH),
      row("a changed lifecycle reaches open connections", BOTH),
      row("a changed lifecycle reaches stored streams", HTTP),
      row("a stream keeps its lifecycle when the definition is gone", HTTP),
      row("bounds of every setting", HTTP),
    ],
  },
  {
    title: "Messages and publishing",
    file: "messages",
    rows: [
      row("ids once durable", PUBLISHES),
      row("data keeps the writer's bytes", PUBLISHES),
      row("a schema checked for clients", PUBLISHES),
      row("a schema checked for the app", HTTP),
      row("an unknown type", PUBLISHES),
      row("onPublish is asked", PUBLISHES),
      row("onPublish changes a message", PUBLISHES),
      row("onPublish sends back a message of just the limit", PUBLISHES),
      row("onPublish refuses a message", PUBLISHES),
      row("onPublish returns what does not fit", PUBLISHES),
      row("onPublish is unavailable", PUBLISHES),
      row("onPublish calls of one connection in order", WS),
      row("onPublish and the app's own publish", HTTP),
      row("a publish under way at a shutdown", WS),
      row("from cannot be forged", PUBLISHES),
      row("a key makes a repeat harmless", PUBLISHES),
      row("a repeat with a key is not shown to onPublish again", PUBLISHES),
      row("a key with another body", PUBLISHES),
      row("a key counts per stream and subject", PUBLISHES),
      row("a key of a refused publish is free", PUBLISHES),
      row("a key after kill -9", PUBLISHES),
      row("a batch is all or nothing", HTTP),
      row("wrong content-type", HTTP),
      row("bad JSON names the place", PUBLISHES),
      row("an sse channel", PUBLISHES),
      row("a full store", PUBLISHES),
      row("the SDK through a broker restart", HTTP),
    ],
  },
  {
    title: "Manners of each transport",
    file: "manners",
    rows: [
      row("head and first block", SSE),
      row("a line break in data forges nothing", SSE),
      row("the last block says when to come back and why", SSE),
      row("ready comes first", WS),
      row("ack with ref and id", WS),
      row("fragmented frames", WS),
      row("a binary frame", WS),
      row("an oversize frame", WS),
      row("a malformed frame", WS),
      row("malformed frames on and on", WS),
      row("a frame that breaks the protocol", WS),
      row("unknown fields", WS),
      row("a peer that closes", WS),
      row("a peer that never answers the close", WS),
      row("pings and a silent peer", WS),
      row("a peer's own ping", WS),
      row("reconnect with afterMs spread at a shutdown", BOTH),
      row("the sub-protocol is echoed, a token never", WS),
      row("the same JSON over both", BOTH),
      row("a slow subscriber reads on from the log", BOTH),
      row("a changed params schema", BOTH),
      row("a changed auth", BOTH),
      row("a removed channel", BOTH),
      row("a changed messages schema", WS),
      row("other methods", HTTP),
    ],
  },
  {
    title: "Limits",
    file: "limits",
    rows: [
      row("maxMessageBytes", PUBLISHES),
      row("maxParamsBytes", ALL),
      row("maxPublishBytes", HTTP),
      row("maxBodyBytesTotal", HTTP),
      row("maxBatchMessages", HTTP),
      row("maxConnections", BOTH),
      row("maxConnectionsPerSubject", BOTH),
      row("maxConnectionsPerAddress", BOTH),
      row("maxPublishesPerSec and publishBurst", PUBLISHES),
      row("maxAuthorizeCalls", ALL),
      row("maxUnsentBytes", BOTH),
      row("maxUnsentBytesTotal", BOTH),
      row("maxHeaderBytes", ALL),
      row("authFrameWaitMs", WS),
      row("handshakeTimeoutMs", HTTP),
      row("limits do not bind the internal listener", ALL),
      row("a limit that was hit is in the log", ALL),
    ],
  },
  {
    title: "Codes",
    file: "codes",
    rows: [
      row("1001 / 1012", WS),
      row("1003 / 415", PUBLISHES),
      row("1009 / 413", PUBLISHES),
      row("4400 / 400 malformed", ALL),
      row("4422 / 400 params invalid", ALL),
      row("4401 / 401", ALL),
      row("4403 / 403 forbidden", ALL),
      row("4403 / 403 WebSocket on an sse channel", WS),
      row("4403 / 403 wrong Origin", ALL),
      row("4404 / 404 unknown channel", ALL),
      row("4404 removed channel", BOTH),
      row("4408 lifetime or grant over", BOTH),
      row("4408 disconnected", BOTH),
      row("4410 / 410", BOTH),
      row("4429 / 429", ALL),
      row("4503 / 503", ALL),
      row("422 key_reused", PUBLISHES),
      row("507 store full", PUBLISHES),
      row("problem+json with a stable code", HTTP),
    ],
  },
];

function row(name: string, over: readonly Over[]): Row {
  return { name, over };
}
