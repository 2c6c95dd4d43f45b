import { isOriginAllowed } from "../auth/origin.ts";
import { configLine } from "../shared/config-line.ts";
import { ChanctlError } from "../shared/errors.ts";
import { headerOf, hostOf, sendAnswer } from "./http.ts";
import type { TransportContext } from "./context.ts";
import type { HttpRequest, HttpResponse } from "./http.ts";

const ALLOWED_HEADERS = ["authorization", "content-type", "idempotency-key", "last-event-id"];
const EXPOSED_HEADERS = "retry-after";
const PREFLIGHT_MAX_AGE_SECS = 600;

/** Lets an allowed page of another origin read the answer. Never `*`: cookies may be meant. */
export function setCorsHeaders(
  request: HttpRequest,
  response: HttpResponse,
  allowedOrigins: readonly string[],
): void {
  response.setHeader("vary", "origin");
  const origin = headerOf(request, "origin");
  if (origin === undefined || !isOriginAllowed({ origin, host: hostOf(request) }, allowedOrigins)) return;
  response.setHeader("access-control-allow-origin", origin);
  response.setHeader("access-control-allow-credentials", "true");
  response.setHeader("access-control-expose-headers", EXPOSED_HEADERS);
}

interface Preflight {
  readonly methods: string;
  /** The header that the channel's `auth` names, in lower case. */
  readonly headerName: string | undefined;
}

/** Answers a preflight: anyone is answered, only the allowed are allowed. */
export function sendPreflight(response: HttpResponse, { methods, headerName }: Preflight): void {
  const allowed = new Set([...ALLOWED_HEADERS, ...(headerName === undefined ? [] : [headerName])]);
  const headers = {
    "access-control-allow-methods": methods,
    "access-control-allow-headers": [...allowed].join(", "),
    "access-control-max-age": String(PREFLIGHT_MAX_AGE_SECS),
  };
  sendAnswer(response, { status: 204, headers });
}

/** @throws {ChanctlError} `origin_forbidden` for a browser on a page of another site. */
export function assertOriginAllowed(
  request: HttpRequest,
  { allowedOrigins, configName }: Pick<TransportContext, "allowedOrigins" | "configName">,
): void {
  const origin = headerOf(request, "origin");
  if (isOriginAllowed({ origin, host: hostOf(request) }, allowedOrigins)) return;
  const message = `a page of ${origin} may not use this server`;
  // `null` is the origin of every sandboxed frame and local file: to list it would let in all of them.
  if (origin === undefined || !URL.canParse(origin)) throw new ChanctlError("origin_forbidden", message);
  const line = configLine({ key: "allowedOrigins", item: origin, file: configName });
  throw new ChanctlError("origin_forbidden", message, { hint: `${line}, if the page is yours` });
}
