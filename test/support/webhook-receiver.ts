import { createPublicKey, verify } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A notification as its receiver reads it. */
export interface Notification {
  readonly subscription_id: string;
  readonly wake_id: string;
  readonly generation: number;
  readonly streams: readonly {
    readonly path: string;
    readonly link_type: string;
    readonly acked_offset: string;
    readonly tail_offset: string;
    readonly has_pending: boolean;
  }[];
  readonly callback_url: string;
  readonly callback_token: string;
}

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly rawBody: string;
  readonly body: Notification;
}

/** Answers one request; an object is sent as JSON with 200. */
export type Answer = object | ((response: ServerResponse) => void);

/** A real HTTP server that webhooks are sent to. */
export interface WebhookReceiver extends AsyncDisposable {
  readonly url: string;
  readonly received: readonly Received[];
  /** What the requests from now on are answered with. */
  answer: Answer;
  /** The request of this number, from 0 on; as soon as it is there. */
  request(index: number): Promise<Received>;
}

/** Starts one on a port of its own, or on the port of one that is gone. */
export async function startWebhookReceiver({
  answer = {},
  port = 0,
}: { readonly answer?: Answer; readonly port?: number } = {}): Promise<WebhookReceiver> {
  const received: Received[] = [];
  const waiting = new Set<() => void>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const rawBody = Buffer.concat(chunks).toString("utf8");
      received.push({ headers: request.headers, rawBody, body: JSON.parse(rawBody) as Notification });
      const { answer: next } = receiver;
      if (typeof next === "function") next(response);
      else response.setHeader("content-type", "application/json").end(JSON.stringify(next));
      for (const wake of waiting) wake();
    });
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const receiver: WebhookReceiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    answer,
    async request(index) {
      for (;;) {
        const found = received[index];
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => {
          const wake = (): void => {
            waiting.delete(wake);
            resolve();
          };
          waiting.add(wake);
        });
      }
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return receiver;
}

/** Whether a notification is signed by one of the keys, as section 7.1 has it. */
export function isSignedBy(
  { headers, rawBody }: Received,
  keys: readonly { readonly kid: string; readonly kty: string; readonly crv: string; readonly x: string }[],
): boolean {
  const match = /^t=(\d+),kid=([^,]+),ed25519=([A-Za-z0-9_-]+)$/.exec(String(headers["webhook-signature"]));
  const jwk = keys.find(({ kid }) => kid === match?.[2]);
  if (match === null || jwk === undefined) return false;
  const { kty, crv, x } = jwk;
  const key = createPublicKey({ key: { kty, crv, x }, format: "jwk" });
  return verify(null, Buffer.from(`${match[1]}.${rawBody}`), key, Buffer.from(match[3] ?? "", "base64url"));
}
