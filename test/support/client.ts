import { onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { connect } from "#src/client.ts";
import type { Connection, ConnectOptions, Gap, Status } from "#src/client.ts";

/** The ways in which the client reads: the suites run over each. */
export const WAYS = [
  { name: "WebSocket", options: { webSocket: WebSocket, transport: "ws" } },
  { name: "SSE", options: { transport: "sse" } },
] as const satisfies readonly { readonly name: string; readonly options: ConnectOptions }[];

/** A connection and what it has told. */
export interface Listening {
  readonly connection: Connection;
  /** The `data` of each message. */
  readonly data: unknown[];
  readonly gaps: Gap[];
  readonly statuses: Status[];
  readonly errors: { readonly code: string; readonly status: number | undefined }[];
}

/** Connects and writes down what it is told; closed when the test ends. */
export function listen(
  name: string,
  options: ConnectOptions & { readonly params?: Readonly<Record<string, string>> },
): Listening {
  const connection = connect(name, options);
  onTestFinished(() => connection.close());
  const listening: Listening = { connection, data: [], gaps: [], statuses: [], errors: [] };
  connection.on("message", ({ data }) => void listening.data.push(data));
  connection.on("gap", (gap) => void listening.gaps.push(gap));
  connection.on("status", (status) => void listening.statuses.push(status));
  connection.on("error", ({ code, status }) => void listening.errors.push({ code, status }));
  return listening;
}
