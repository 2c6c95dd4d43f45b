import { toWakeStream } from "../../broker/webhook.ts";
import type { SubscriptionConfig } from "../../broker/subscription-operation.ts";
import { sendAnswer, sendJson } from "../http.ts";
import { assertControlMethod, bearerOf, identifyController, readControlBody } from "./control-call.ts";
import type { ControlCall } from "./control-call.ts";
import { toControlError, unknownSubscription } from "./control-error.ts";
import { parseAck, parseClaim } from "./subscription-request.ts";
import { findFor } from "./subscription-routes.ts";

/** `POST …/claim`: a worker asks for the work (PROTOCOL.md, section 7.2). */
export async function serveClaim(call: ControlCall, id: string): Promise<void> {
  assertControlMethod(call, ["POST"]);
  const { subscriptions } = call.context.broker;
  const body = await readControlBody(call);
  const existing = findFor(call, { id, controller: await identifyController(call) });
  const worker = parseClaim(body);
  if (existing === undefined) throw unknownSubscription(id);
  const result = await subscriptions.claim(existing, worker);
  if (result.kind === "subscription-refused") throw toControlError(result, id);
  sendJson(call.response, 200, {
    wake_id: result.wakeId,
    generation: result.generation,
    token: result.token,
    streams: result.streams.map(toWakeStream),
    lease_ttl_ms: result.leaseTtlMs,
  });
}

/**
 * `POST …/callback` and `POST …/ack`: what is done, or a sign of life (PROTOCOL.md, sections 7.1 and 7.2). Who has the
 * token of the wake needs no other leave.
 */
export async function serveAck(
  call: ControlCall,
  { id, type }: { readonly id: string; readonly type: SubscriptionConfig["type"] },
): Promise<void> {
  assertControlMethod(call, ["POST"]);
  const { wake, acks, isDone } = await readWake(call, { id, type });
  const result = await call.context.broker.subscriptions.ack(wake, { acks, isDone });
  if (result.kind === "subscription-refused") throw toControlError(result, id);
  sendJson(call.response, 200, { ok: true, next_wake: result.isDue });
}

/** `POST …/release`: the lease is given back with the work undone (PROTOCOL.md, section 7.2). */
export async function serveRelease(call: ControlCall, id: string): Promise<void> {
  assertControlMethod(call, ["POST"]);
  const { wake } = await readWake(call, { id, type: "pull-wake" });
  const result = await call.context.broker.subscriptions.release(wake);
  if (result.kind === "subscription-refused") throw toControlError(result, id);
  sendAnswer(call.response, { status: 204 });
}

/** The token first: who has none learns nothing of what there is. */
async function readWake(
  call: ControlCall,
  { id, type }: { readonly id: string; readonly type: SubscriptionConfig["type"] },
) {
  const { subscriptions } = call.context.broker;
  const token = await subscriptions.verifyToken(bearerOf(call));
  const { wakeId, generation, acks, isDone } = parseAck(await readControlBody(call));
  const existing = subscriptions.find(id);
  if (existing !== undefined && existing.type !== type)
    throw toControlError({ kind: "subscription-refused", reason: "type", type: existing.type }, id);
  return { wake: { id, wakeId, generation, token }, acks, isDone };
}
