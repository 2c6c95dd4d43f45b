import { isOriginAllowed } from "../../auth/origin.ts";
import { headerOf, hostOf, sendAnswer } from "../http.ts";
import type { HttpRequest, HttpResponse } from "../http.ts";

/** What a page may read of an answer: by name, for where credentials are allowed `*` is only a name. */
const EXPOSED = [
  "stream-next-offset",
  "stream-up-to-date",
  "stream-closed",
  "stream-cursor",
  "stream-ttl",
  "stream-expires-at",
  "stream-sse-data-encoding",
  "producer-epoch",
  "producer-seq",
  "producer-expected-seq",
  "producer-received-seq",
  "etag",
  "location",
  "retry-after",
  "www-authenticate",
].join(", ");

/** What a page may send; `Authorization` is never part of `*`. */
const ALLOWED = [
  "authorization",
  "content-type",
  "idempotency-key",
  "if-none-match",
  "producer-epoch",
  "producer-id",
  "producer-seq",
  "stream-closed",
  "stream-expires-at",
  "stream-fork-offset",
  "stream-fork-sub-offset",
  "stream-forked-from",
  "stream-seq",
  "stream-ttl",
  "x-signed",
];

const PREFLIGHT_MAX_AGE_SECS = 600;

interface CorsOptions {
  /** The request may be made by anyone: every page may read the answer, and none with credentials. */
  readonly isOpen: boolean;
  readonly allowedOrigins: readonly string[];
  /** Whoever asks must show a JWT, even for what is open to all. */
  readonly mustIdentify: boolean;
  /** The header of JWTs, in lower case. */
  readonly tokenHeader: string;
}

/** Lets pages of other origins read the answer: all of them where anyone may ask, else those that are allowed. */
export function setStreamCors(
  { request, response }: { readonly request: HttpRequest; readonly response: HttpResponse },
  { isOpen, mustIdentify, allowedOrigins, tokenHeader }: CorsOptions,
): void {
  // What a cache must tell apart: a private answer is one caller's, and a page is told only what concerns its origin.
  const vary = [
    ...(isOpen ? [] : ["origin", "cookie"]),
    ...(isOpen && !mustIdentify ? [] : ["authorization", tokenHeader]),
    "x-signed",
  ];
  response.setHeader("vary", vary.join(", "));
  const origin = headerOf(request, "origin");
  if (isOpen) response.setHeader("access-control-allow-origin", "*");
  else {
    if (origin === undefined || !isOriginAllowed({ origin, host: hostOf(request) }, allowedOrigins)) return;
    response.setHeader("access-control-allow-origin", origin);
    response.setHeader("access-control-allow-credentials", "true");
  }
  response.setHeader("access-control-expose-headers", EXPOSED);
}

interface Preflight {
  readonly methods: string;
  /** Headers that callers show who they are with, in lower case. */
  readonly tokenHeaders: readonly string[];
}

/** Answers a preflight: anyone is answered, only the allowed are allowed. */
export function sendStreamPreflight(response: HttpResponse, { methods, tokenHeaders }: Preflight): void {
  const headers = {
    "access-control-allow-methods": methods,
    "access-control-allow-headers": [...new Set([...ALLOWED, ...tokenHeaders])].join(", "),
    "access-control-max-age": String(PREFLIGHT_MAX_AGE_SECS),
  };
  sendAnswer(response, { status: 204, headers });
}
