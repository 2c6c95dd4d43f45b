import type { IncomingHttpHeaders, IncomingMessage } from "node:http";

import { readBytes, sendRequest } from "../../platform/http-request.ts";
import { ChanctlError, ERRORS, errorCodeOf, messageOf } from "../../shared/errors.ts";
import type { ErrorCode } from "../../shared/errors.ts";
import type { Target } from "./target.ts";
import { hintOfAnswer } from "./answer-hint.ts";

interface CallOptions {
  /** From the server's root, with its query: `/channels/chat?room=lobby`. */
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** How long nothing may move on the connection, in ms. @default for ever */
  readonly silenceMs?: number;
  readonly signal: AbortSignal;
}

/** An answer with all of its body. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The body, as UTF-8. */
  readonly text: string;
}

/**
 * Sends a request to the server with the target's credential, and reads the answer.
 *
 * @throws {ChanctlError} `cannot_connect` if no whole answer came.
 */
export async function call(target: Target, options: CallOptions): Promise<Answer> {
  return connected(target, options, async () => readAnswer(await send(target, options)));
}

/**
 * Sends a request whose answer has no end; the body is still to be read.
 *
 * @throws {ChanctlError} `cannot_connect` if no answer came, or what the server refused it with.
 */
export async function open(target: Target, options: CallOptions): Promise<IncomingMessage> {
  return connected(target, options, async () => {
    const message = await send(target, options);
    if (message.statusCode === 200) return message;
    throw errorOfAnswer(await readAnswer(message));
  });
}

function send(target: Target, { path, headers = {}, ...options }: CallOptions): Promise<IncomingMessage> {
  const url = new URL(target.url.pathname.replace(/\/$/, "") + path, target.url);
  const authorization = target.token === undefined ? {} : { authorization: `Bearer ${target.token}` };
  return sendRequest(url, { ...options, headers: { ...headers, ...authorization }, ca: target.ca });
}

async function readAnswer(message: IncomingMessage): Promise<Answer> {
  const body = await readBytes(message);
  return {
    status: message.statusCode ?? 0,
    headers: message.headers,
    body,
    get text() {
      return body.toString("utf8");
    },
  };
}

/** What the connection throws, as an error for a person. */
async function connected<T>(target: Target, { signal }: CallOptions, exchange: () => Promise<T>): Promise<T> {
  try {
    return await exchange();
  } catch (cause) {
    if (signal.aborted || cause instanceof ChanctlError) throw cause;
    throw cannotConnect(target, cause);
  }
}

function cannotConnect(target: Target, cause: unknown): ChanctlError {
  const isTls = /CERT|TLS|SSL|SIGNATURE/.test(errorCodeOf(cause) ?? "");
  const hint = isTls
    ? "NODE_EXTRA_CA_CERTS=<the CA's PEM file> before the command makes it trusted"
    : target.isInternal
      ? "chanctl dev     start it; what is in .chanctl/run.json is from a server that has ended"
      : "check the URL, and that the server runs";
  const reason = messageOf(cause) || errorCodeOf(cause) || "no answer"; // an AggregateError of two dials has no message
  return new ChanctlError("cannot_connect", `cannot connect to ${target.url.origin}: ${reason}`, {
    hint,
    cause,
  });
}

/** The error that an answer tells: its problem body (RFC 9457) where it has one. */
export function errorOfAnswer({
  status,
  headers,
  text,
}: Pick<Answer, "status" | "headers" | "text">): ChanctlError {
  const { code, detail, fix, ...fields } = parseProblem(text);
  const retryAfterSecs = Number(headers["retry-after"]);
  const known = isErrorCode(code) ? code : "internal";
  const hint = typeof fix === "string" ? fix : hintOfAnswer(known);
  return new ChanctlError(
    known,
    typeof detail === "string" ? toOneLine(detail) : `the server answered with status ${status}`,
    {
      status,
      fields,
      ...(hint === undefined ? {} : { hint }),
      ...(Number.isFinite(retryAfterSecs) ? { retryAfterSecs } : {}),
    },
  );
}

/** A strange server's second line could pass for a fix of ours (CWE-117). */
function toOneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n]+\s*/g, " ");
}

function parseProblem(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {}; // a proxy's own page
  }
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(ERRORS, code);
}
