import type { SubscriptionRecord } from "../../broker/subscription-record.ts";
import type { SubscriptionRefused } from "../../broker/subscription-operation.ts";
import { ChanctlError } from "../../shared/errors.ts";
import { sendAnswer, sendJson } from "../http.ts";
import { assertControlMethod, assertMayControl, readControlBody } from "./control-call.ts";
import type { ControlCall } from "./control-call.ts";
import { toControlError } from "./control-error.ts";
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
  const { subscriptions } = call.context.broker;
  const existing = subscriptions.find(id);
  await assertMayControl(call, { paths: existing === undefined ? [] : pathsOf(call, existing) });
  if (call.request.method === "GET") return sendSubscription(call, { id, status: 200 });
  await subscriptions.unsubscribe(id);
  sendAnswer(call.response, { status: 204 });
}

async function servePut(call: ControlCall, id: string): Promise<void> {
  const { context, options, request } = call;
  const body = await readControlBody(call);
  const asked = parseSubscription(body, context.registry);
  await assertMayControl(call, { paths: askedPaths(asked) });
  const { webhookUrl } = asked.config;
  if (webhookUrl !== undefined) await assertWebhookUrl(webhookUrl, { allowsLoopback: options.publicWrites });
  const baseUrl = baseUrlOf(request, options.path);
  const result = await context.broker.subscriptions.subscribe({ id, ...asked, baseUrl });
  if (result.kind === "subscription-refused") throw toControlError(result, id);
  await sendSubscription(call, { id, status: result.isNew ? 201 : 200 });
}

/** `POST …/streams` names streams (PROTOCOL.md, section 6.4). */
export async function serveLinkStreams(call: ControlCall, id: string): Promise<void> {
  assertControlMethod(call, ["POST"]);
  const { broker, registry } = call.context;
  const body = await readControlBody(call);
  const existing = broker.subscriptions.find(id);
  await assertMayControl(call, { paths: existing === undefined ? [] : pathsOf(call, existing) });
  const streams = parseStreamsBody(body, registry);
  await assertMayControl(call, { paths: streams.map(toName) });
  finish(call, await broker.subscriptions.linkStreams(id, streams), id);
}

/** `DELETE …/streams/:path` takes a named one away; the path is encoded once, and may hold slashes (section 6.4). */
export async function serveUnlinkStream(
  call: ControlCall,
  { id, path }: { readonly id: string; readonly path: string },
): Promise<void> {
  assertControlMethod(call, ["DELETE"]);
  const { subscriptions } = call.context.broker;
  const existing = subscriptions.find(id);
  await assertMayControl(call, { paths: existing === undefined ? [] : pathsOf(call, existing) });
  finish(call, await subscriptions.unlinkStream(id, `/${canonicalizePath(path)}`), id);
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
  { id, status }: { readonly id: string; readonly status: number },
): Promise<void> {
  const { subscriptions } = call.context.broker;
  const key = await subscriptions.signingKey();
  const subscription = subscriptions.find(id);
  if (subscription === undefined)
    throw new ChanctlError("subscription_not_found", `there is no subscription \`${id}\``);
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
export function pathsOf({ context }: ControlCall, subscription: SubscriptionRecord): string[] {
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
