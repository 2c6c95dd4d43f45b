import type { Endpoint } from "../load/endpoint.ts";

/** What a target can do; a scenario says which of these it needs. */
export interface Endpoints {
  /** Stores a message by POST, all lanes in one stream. */
  readonly append?: Endpoint;
  /** Publishes on a WebSocket, all lanes in one stream: the one that `liveWs` and `liveSse` read. */
  readonly publish?: Endpoint;
  /** Publishes on a WebSocket, each lane in a stream of its own, as a client may. */
  readonly publishOwn?: Endpoint;
  readonly liveWs?: Endpoint;
  readonly liveSse?: Endpoint;
  /** Reads all that `append` has stored, from the start. */
  readonly replay?: Endpoint;
  /** Reads all that `publishOwn` has stored in one lane. */
  readonly replayOwn?: Endpoint;
}

/** A target that runs. */
export interface RunningTarget {
  readonly endpoints: Endpoints;
  close(): Promise<void>;
}

/** A server under measure: chanctl, a peer, or a floor written for the benchmark. */
export interface Target {
  /** As the tables show it. */
  readonly name: string;
  /** The npm package it is made of; it is skipped where that is not installed. */
  readonly packageName?: string;
  /** Starts it in this process. @param folder an empty folder of its own, absolute. */
  start(folder: string): Promise<RunningTarget>;
}
