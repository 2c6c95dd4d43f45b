import type { Message } from "../protocol/message.ts";
import { OWN_CODES, PARAMS_INVALID, TOO_BIG } from "./close-codes.ts";
import { parseAnswer, toEnding, toSettled } from "./ending.ts";
import type { Answer, Ending } from "./ending.ts";
import type { WebSocketClass } from "./host.ts";
import { OPEN_TIMEOUT_MS, PUBLISH_WINDOW } from "./limits.ts";
import type { LinkRequest } from "./link.ts";
import type { Courier } from "./publish-queue.ts";

/** Reads a channel on a WebSocket until that ends. Never rejects. */
export function readWebSocket(WebSocket: WebSocketClass, request: LinkRequest): Promise<Ending> {
  const { url, token, signal } = request;
  return new Promise((resolve) => {
    // What a sub-protocol may not be made of (RFC 9110, section 5.6.2) goes in the first frame instead.
    const isInHandshake = token && /^[\w.~+-]+$/.test(token);
    const socket = new WebSocket(url.replace(/^http/, "ws"), [
      "chanctl.v1",
      ...(isInHandshake ? [`bearer.${token}`] : []),
    ]);
    let isOpen = false;
    /** What the server said last of the connection: when to come back, or what it refuses. */
    let last: Answer = {};
    const end = (ending: Ending): void => {
      clearTimeout(timer);
      socket.close();
      resolve(ending);
    };
    const timer = setTimeout(() => end({ kind: "unsuited" }), OPEN_TIMEOUT_MS);
    signal.addEventListener("abort", () => end({ kind: "left" }));
    const send = (frame: unknown): void => socket.send(JSON.stringify(frame));
    const courier: Courier = {
      window: PUBLISH_WINDOW,
      send: ({ key, json }) => socket.send(`{"ref":"${key}","key":"${key}",${json.slice(1)}`),
    };
    const authenticate = (fresh: string): void => send({ control: "auth", token: fresh });
    socket.onopen = () => {
      clearTimeout(timer);
      isOpen = true;
      if (token && !isInHandshake) authenticate(token);
    };
    socket.onmessage = ({ data }: { readonly data: string }) => {
      const frame = parseAnswer(data);
      const { control, ref } = frame;
      request.onHeard();
      if (!control) request.onMessage(frame as unknown as Message);
      else if (control === "ready") {
        request.onReady({ ...frame, courier, authenticate, ping: () => send({ control: "ping" }) });
      } else if (ref !== undefined) request.settle(ref, toSettled(frame));
      else if (control !== "pong") last = frame;
    };
    socket.onerror = () => {}; // `close` follows
    socket.onclose = ({ code }: { readonly code: number }) => {
      if (!isOpen) end({ kind: "unsuited" });
      else if (code === TOO_BIG) end({ kind: "too-big" });
      else end(toEnding(code === PARAMS_INVALID ? 400 : code - OWN_CODES, last));
    };
  });
}
