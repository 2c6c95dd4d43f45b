import type { Endpoint } from "../load/endpoint.ts";

/** What a target can do; a scenario says which of these it needs. */
export interface Endpoints {
  /** Stores a message by POST, all lanes in one stream. */
  readonly append?: Endpoint;
  /** Answers a GET from an app behind the target. */
  readonly get?: Endpoint;
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
  /** CPU time used so far, in µs. @default that of the process it was started in */
  readonly cpuUs?: () => Promise<number>;
  close(): Promise<void>;
}

/** A server under measure: chanctl, a peer, or a floor written for the benchmark. */
export interface Target {
  /** As the tables show it. */
  readonly name: string;
  /** The npm package it is made of; it is skipped where that is not installed. */
  readonly packageName?: string;
  /** The program that it is; it is skipped where `PATH` has none. */
  readonly programName?: string;
  /** Starts it in this process. @param folder an empty folder of its own, absolute. */
  start(folder: string): Promise<RunningTarget>;
}
