import { ChanctlError } from "../../shared/errors.ts";
import { sendAnswer, toChanctlError } from "../http.ts";
import { assertControlMethod } from "./control-call.ts";
import type { ControlCall } from "./control-call.ts";
import { invalid, sendControlError } from "./control-error.ts";
import { CONTROL_SEGMENT } from "./stream-target.ts";
import { serveAck, serveClaim, serveRelease } from "./subscription-lease-routes.ts";
import { serveLinkStreams, serveSubscription, serveUnlinkStream } from "./subscription-routes.ts";

const MAX_ID_LENGTH = 256;
/** Nobody means them, and they forge lines of a log (CWE-117). */
const CONTROL = /\p{Cc}/u;

/** Whether a path below the mount is one of the reserved ones, in whatever spelling (PROTOCOL.md, section 6). */
export function isControlPath(path: string): boolean {
  return decode(path.split("/", 1)[0] ?? "") === CONTROL_SEGMENT;
}

/** Serves a request under `__ds`. Answers errors too. */
export async function serveControl(call: ControlCall, path: string): Promise<void> {
  try {
    await dispatch(call, path);
  } catch (thrown) {
    sendControlError(call.response, toChanctlError(thrown, call.context.logger));
  }
}

async function dispatch(call: ControlCall, path: string): Promise<void> {
  const [resource, idText, action, ...rest] = path.split("/").slice(1);
  if (resource === "jwks.json" && idText === undefined) return serveJwks(call);
  if (resource !== "subscriptions" || idText === undefined) throw unknownRoute();
  const id = parseId(idText);
  if (action === "streams" && rest.length > 0)
    return serveUnlinkStream(call, { id, path: parseStreamPath(rest.join("/")) });
  if (rest.length > 0) throw unknownRoute();
  switch (action) {
    case undefined:
      return serveSubscription(call, id);
    case "streams":
      return serveLinkStreams(call, id);
    case "callback":
      return serveAck(call, { id, type: "webhook" });
    case "claim":
      return serveClaim(call, id);
    case "ack":
      return serveAck(call, { id, type: "pull-wake" });
    case "release":
      return serveRelease(call, id);
    default:
      throw unknownRoute();
  }
}

/** The keys that webhooks are signed with (PROTOCOL.md, section 6.5). */
async function serveJwks(call: ControlCall): Promise<void> {
  assertControlMethod(call, ["GET"]);
  const { jwk } = await call.context.broker.subscriptions.signingKey();
  sendAnswer(call.response, {
    status: 200,
    headers: { "content-type": "application/jwk-set+json", "cache-control": "public, max-age=300" },
    body: JSON.stringify({ keys: [jwk] }),
  });
}

function parseId(text: string): string {
  const id = decode(text);
  const isValid = id !== undefined && id !== "" && id.length <= MAX_ID_LENGTH && !CONTROL.test(id);
  if (isValid) return id;
  throw invalid(
    "id",
    `the subscription's id must have 1 to ${MAX_ID_LENGTH} characters and no control characters`,
  );
}

function parseStreamPath(text: string): string {
  const path = decode(text);
  if (path !== undefined) return path;
  throw invalid("path", "the stream's path is not UTF-8");
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function unknownRoute(): ChanctlError {
  return new ChanctlError("not_found", "there is nothing here under `__ds`");
}
