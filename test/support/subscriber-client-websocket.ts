import { WebSocket } from "ws";
import type { ClientOptions } from "ws";
import { SUB_PROTOCOL } from "#src/protocol/websocket-frame.ts";
import { ReceivedLog, Refusal } from "./subscriber-client.ts";
import type { ConnectOptions, Subscriber, SubscriberClient } from "./subscriber-client.ts";

/** A frame of the server that is no message. */
interface ControlFrame {
  readonly control: string;
  readonly [field: string]: unknown;
}

export interface WebSocketOptions extends ConnectOptions {
  /** @default ["chanctl.v1"] */
  readonly protocols?: readonly string[];
  /** Sent as soon as the handshake is done. */
  readonly firstFrame?: unknown;
  readonly client?: ClientOptions;
}

/** A WebSocket connection, and what only it has. */
export interface WebSocketSubscriber extends Subscriber {
  readonly webSocket: WebSocket;
  /** Every control frame, the first `ready` too. */
  readonly controls: readonly ControlFrame[];
  /** Sends a frame: a string as it is, anything else as JSON. */
  readonly send: (frame: unknown) => void;
  /** The first control frame that has these fields, once there is one. Rejects if the connection ends before. */
  readonly control: (fields: Readonly<Record<string, unknown>>) => Promise<ControlFrame>;
}

/** Subscribes by WebSocket. @throws {Refusal} */
export function openWebSocket(url: string, options: WebSocketOptions = {}): Promise<WebSocketSubscriber> {
  const { headers = {}, ca, protocols = [SUB_PROTOCOL], firstFrame, client, signal } = options;
  const webSocket = new WebSocket(url.replace(/^http/, "ws"), [...protocols], {
    headers,
    ...(ca === undefined ? {} : { ca }),
    ...client,
  });
  signal?.addEventListener("abort", () => webSocket.terminate(), { once: true });
  const log = new ReceivedLog();
  const controls: ControlFrame[] = [];
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const each of waiting) each();
    waiting.clear();
  };
  let isOver = false;

  const find = (fields: Readonly<Record<string, unknown>>): ControlFrame | undefined =>
    controls.find((frame) => Object.entries(fields).every(([name, value]) => frame[name] === value));
  const control: WebSocketSubscriber["control"] = async (fields) => {
    for (;;) {
      const frame = find(fields);
      if (frame !== undefined) return frame;
      if (isOver)
        throw new Error(`ended without ${JSON.stringify(fields)}, after ${JSON.stringify(controls)}`);
      await new Promise<void>((resolve) => waiting.add(resolve));
    }
  };
  const send = (frame: unknown): void =>
    webSocket.send(typeof frame === "string" ? frame : JSON.stringify(frame));

  return new Promise((resolve, reject) => {
    const subscriber = (startId: string): WebSocketSubscriber => ({
      startId,
      log,
      webSocket,
      controls,
      send,
      control,
      pause: () => webSocket.pause(),
      resume: () => webSocket.resume(),
      close: () => webSocket.terminate(),
    });
    webSocket.once("open", () => {
      if (firstFrame !== undefined) send(firstFrame);
    });
    webSocket.on("message", (data: Buffer) => {
      const json = data.toString("utf8");
      const frame = JSON.parse(json) as { id: string; control?: string };
      if (frame.control === undefined) {
        if (controls.length === 0) throw new Error(`the first frame must be \`ready\`, got ${json}`);
        log.push({ id: frame.id, json });
        return;
      }
      controls.push(frame as ControlFrame);
      if (controls.length === 1 && frame.control === "ready") resolve(subscriber(frame.id));
      wake();
    });
    webSocket.on("error", reject);
    webSocket.on("close", (closeCode, reason) => {
      isOver = true;
      const afterMs = find({ control: "reconnect" })?.["afterMs"];
      log.end({
        title: reason.toString() || undefined,
        afterMs: typeof afterMs === "number" ? afterMs : undefined,
        closeCode,
      });
      wake();
      reject(new Refusal(closeCode, find({ control: "error" }) ?? find({ control: "reconnect" }) ?? {}));
    });
  });
}

/** WebSocket, for the suites that run over both transports. */
export const webSocketClient: SubscriberClient = { name: "WebSocket", connect: openWebSocket };
