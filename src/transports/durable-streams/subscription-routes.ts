import type { SubscriptionRecord } from "../../broker/subscription-record.ts";
import type { SubscriptionRefused } from "../../broker/subscription-operation.ts";
import { sendAnswer, sendJson } from "../http.ts";
import { assertControlMethod, identifyController, readControlBody } from "./control-call.ts";
import type { ControlCall, Controller } from "./control-call.ts";
import { toControlError, unknownSubscription } from "./control-error.ts";
import { baseUrlOf } from "./request-base.ts";
import { canonicalizePath } from "../../protocol/durable-streams/stream-path.ts";
import { parseStreamsBody, parseSubscription } from "./subscription-request.ts";
import type { SubscriptionRequest } from "./subscription-request.ts";
import { toSubscriptionView } from "./subscription-view.ts";
import { assertWebhookUrl } from "./webhook-url.ts";

/** `…/subscriptions/:id` (PROTOCOL.md, sections 6.2 and 6.3). */
export async function serveSubscription(call: ControlCall, id: string): Promise<void> {
  assertControlMethod(call, ["GET", "PUT", "DELETE"]);
  if (call.request.method === "PUT") return servePut(call, id);
  const controller = await identifyController(call);
  if (call.request.method === "GET") return sendSubscription(call, { id, controller, status: 200 });
  const existing = findFor(call, { id, controller });
  if (existing !== undefined) await call.context.broker.subscriptions.unsubscribe(existing);
  sendAnswer(call.response, { status: 204 });
}

async function servePut(call: ControlCall, id: string): Promise<void> {
  const { context, options, request } = call;
  const body = await readControlBody(call);
  const asked = parseSubscription(body, context.registry);
  const controller = await identifyController(call);
  controller.assertMay(askedPaths(asked));
  const { webhookUrl } = asked.config;
  if (webhookUrl !== undefined) await assertWebhookUrl(webhookUrl, { allowsLoopback: options.publicWrites });
  const baseUrl = baseUrlOf(request, options.path);
  // What was asked for may be less than what is there: streams were named since, or by another configuration (CWE-639).
  findFor(call, { id, controller });
  const result = await context.broker.subscriptions.subscribe({ id, ...asked, baseUrl });
  if (result.kind === "subscription-refused") throw toControlError(result, id);
  await sendSubscription(call, { id, controller, status: result.isNew ? 201 : 200 });
}

/** `POST …/streams` names streams (PROTOCOL.md, section 6.4). */
export async function serveLinkStreams(call: ControlCall, id: string): Promise<void> {
  assertControlMethod(call, ["POST"]);
  const { broker, registry } = call.context;
  const body = await readControlBody(call);
  const controller = await identifyController(call);
  const existing = findFor(call, { id, controller });
  const streams = parseStreamsBody(body, registry);
  controller.assertMay(streams.map(toName));
  if (existing === undefined) throw unknownSubscription(id);
  finish(call, await broker.subscriptions.linkStreams(existing, streams), id);
}

/** `DELETE …/streams/:path` takes a named one away; the path is encoded once, and may hold slashes (section 6.4). */
export async function serveUnlinkStream(
  call: ControlCall,
  { id, path }: { readonly id: string; readonly path: string },
): Promise<void> {
  assertControlMethod(call, ["DELETE"]);
  const controller = await identifyController(call);
  const existing = findFor(call, { id, controller });
  const stream = `/${canonicalizePath(path)}`;
  if (existing === undefined) throw unknownSubscription(id);
  finish(call, await call.context.broker.subscriptions.unlinkStream(existing, stream), id);
}

/**
 * A subscription, if the caller may have to do with it. What is then done to it goes by the incarnation that was found:
 * another one of the same id may be none of the caller's business (CWE-367).
 *
 * @throws {ChanctlError} `forbidden`.
 */
export function findFor(
  call: ControlCall,
  { id, controller }: { readonly id: string; readonly controller: Controller },
): SubscriptionRecord | undefined {
  const existing = call.context.broker.subscriptions.find(id);
  controller.assertMay(existing === undefined ? [] : pathsOf(call, existing));
  return existing;
}

function finish(
  call: ControlCall,
  result: { readonly kind: string } | SubscriptionRefused,
  id: string,
): void {
  if (isRefused(result)) throw toControlError(result, id);
  sendAnswer(call.response, { status: 204 });
}

function isRefused(result: { readonly kind: string } | SubscriptionRefused): result is SubscriptionRefused {
  return result.kind === "subscription-refused";
}

async function sendSubscription(
  call: ControlCall,
  {
    id,
    controller,
    status,
  }: { readonly id: string; readonly controller: Controller; readonly status: number },
): Promise<void> {
  const { subscriptions } = call.context.broker;
  const key = await subscriptions.signingKey();
  const subscription = findFor(call, { id, controller });
  if (subscription === undefined) throw unknownSubscription(id);
  const baseUrl = baseUrlOf(call.request, call.options.path);
  const links = subscriptions.links(subscription);
  sendJson(call.response, status, toSubscriptionView(subscription, { links, key, baseUrl }));
}

function askedPaths({ config, streams }: SubscriptionRequest): string[] {
  const { pattern, wakeStream } = config;
  return [
    ...(pattern === undefined ? [] : [pattern]),
    ...(wakeStream === undefined ? [] : [toName(wakeStream)]),
    ...streams.map(toName),
  ];
}

/** What a subscription is about, for whoever decides who may have to do with it. */
function pathsOf({ context }: ControlCall, subscription: SubscriptionRecord): string[] {
  const { pattern, wakeStream } = subscription;
  const links = context.broker.subscriptions.links(subscription);
  return [
    ...(pattern === null ? [] : [pattern]),
    ...(wakeStream === null ? [] : [toName(wakeStream)]),
    ...links.filter(({ isExplicit }) => isExplicit).map(({ stream }) => toName(stream)),
  ];
}

function toName(path: string): string {
  return path.slice(1);
}
