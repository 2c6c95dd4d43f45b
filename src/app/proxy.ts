import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { ChanctlError, errorCodeOf, messageOf } from "../shared/errors.ts";
import type { Logger } from "../shared/logger.ts";
import { AppConnections } from "./app-connections.ts";
import type { App } from "./app.ts";
import { OpenAnswers } from "./open-answers.ts";
import { hasBody } from "./proxy-body.ts";
import { Exchange } from "./proxy-exchange.ts";
import type { Upgraded } from "./proxy-exchange.ts";
import { hasBeenHere, toAppHeaders } from "./proxy-headers.ts";
import type { ProxyRequest } from "./proxy-headers.ts";
import { isNavigation, sendAppDown, sendRefusal, whyUnanswered } from "./proxy-refusal.ts";
import { hasLeft } from "./proxy-response.ts";
import type { ProxyResponse } from "./proxy-response.ts";
import { openHandshake } from "./proxy-upgrade.ts";
import { Tunnels } from "./tunnels.ts";
import { Upload } from "./proxy-upload.ts";
import { UnansweredCalls } from "./unanswered-calls.ts";

/** How long a request waits for an app that is on its way: a restart is waited out. */
const HOLD_MS = 10_000;
/** An app that restarts by itself (`node --watch`) refuses connections for a moment: 20 × 100 ms are waited out. */
const REFUSALS_WAITED_OUT = 20;
const REFUSAL_PAUSE_MS = 100;
/** One that does so while its successor starts: as long as a restart is waited out. */
const REFUSALS_BEFORE_SUCCESSOR = 100;
/** A used connection that breaks within this time may have met the app closing it; later the app has had the request. */
const CLOSING_MS = 1_000;
const WARNING_INTERVAL_MS = 10_000;

const NOT_CONNECTED = new Set([
  "EAI_AGAIN",
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "UND_ERR_CONNECT_TIMEOUT",
]);
/** The limit of the process, and of the machine. */
const OUT_OF_FILES = new Set(["EMFILE", "ENFILE"]);
/** What undici and Node say of a request that cannot be written over HTTP/1.1. */
const UNWRITABLE = new Set([
  "ERR_INVALID_CHAR",
  "ERR_INVALID_HTTP_TOKEN",
  "ERR_UNESCAPED_CHARACTERS",
  "UND_ERR_INVALID_ARG",
]);
/** RFC 9110, section 9.2.2. */
const IDEMPOTENT = new Set(["DELETE", "GET", "HEAD", "OPTIONS", "PUT", "TRACE"]);

interface AppProxyOptions {
  readonly app: App;
  readonly logger: Logger;
  /** Show the app's last lines to whoever asks while it is down. For `dev` only. @default false */
  readonly showOutput?: boolean;
}

/** Sends to the app what is not for the broker. */
export interface AppProxy {
  /** Answers a request of either of Node's HTTP servers, by the app or in its place. Never throws. */
  request(request: ProxyRequest, response: ProxyResponse): void;
  /** The same for a server's `upgrade` event: a WebSocket, or any other protocol. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /**
   * Ends the connections that have switched protocols at once, for they would not end by themselves, and after
   * `graceMs` whatever requests are still under way.
   */
  leave({ graceMs }: { readonly graceMs: number }): void;
  /** Cuts off whatever is under way. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** One request on its way to an answer. */
interface Call {
  readonly request: ProxyRequest;
  readonly response: ProxyResponse;
  readonly onUpgrade?: (upgraded: Upgraded, origin: URL) => void;
  /** How often the app has refused the connection. */
  readonly refusals: number;
  readonly wasRepeated: boolean;
}

/** Makes the proxy to an app. Its connections to the app are kept and used again. */
export function createAppProxy({ app, logger, showOutput = false }: AppProxyOptions): AppProxy {
  const id = randomUUID();
  const tunnels = new Tunnels(app);
  let warnedAt = Number.NEGATIVE_INFINITY;
  const connections = new AppConnections(app);
  const unanswered = new UnansweredCalls();
  const open = new OpenAnswers();

  function admit(call: Call): void {
    const { request, response } = call;
    if (hasBeenHere(request.headers, id)) {
      const detail = "the app has sent this request back to chanctl";
      sendRefusal(response, new ChanctlError("loop_detected", detail));
    } else if (!request.url?.startsWith("/")) {
      // `GET http://any/channels/authorize` names a path of the broker's that its routes do not see (CWE-441).
      const detail = `the request's target must be a path, got \`${request.url}\``;
      sendRefusal(response, new ChanctlError("malformed", detail));
    } else if (app.state === "ready") forward(call);
    else if (isNavigation(request)) sendAppDown(request, response, { app, showOutput });
    else void hold(call);
  }

  async function hold(call: Call): Promise<void> {
    const { request, response } = call;
    const over = new AbortController();
    const end = (): void => over.abort();
    response.once("close", end);
    // A plain timer: Node 20 may collect an `AbortSignal.timeout` that only `AbortSignal.any` knows, and it never fires.
    const timer = setTimeout(end, HOLD_MS);
    const isReady = await app.waitUntilReady(over.signal).then(
      () => true,
      () => false,
    );
    clearTimeout(timer);
    response.off("close", end);
    if (isReady) forward(call);
    else sendAppDown(request, response, { app, showOutput });
  }

  function forward(call: Call): void {
    const { request, response, onUpgrade } = call;
    if (hasLeft(response)) return;
    try {
      // One that switches protocols is answered by another way, and its response never closes.
      if (onUpgrade === undefined) unanswered.add(response);
    } catch (error) {
      if (!(error instanceof ChanctlError)) throw error;
      warn("app-overloaded", error.message);
      sendRefusal(response, error);
      return;
    }
    const { origin } = app;
    const askedAt = performance.now();
    const headers = toAppHeaders(request, { id, origin });
    const hasContent = hasBody(request);
    if (onUpgrade !== undefined || (IDEMPOTENT.has(request.method ?? "") && !hasContent)) {
      const upgrade = onUpgrade && wantedProtocol(request);
      const exchange = new Exchange(response, {
        connections,
        isRepeated: call.wasRepeated,
        onUnanswered: (error, { wasUsed }) => {
          const wasClosing = wasUsed && performance.now() - askedAt < CLOSING_MS;
          void repeatOrRefuse(call, { error, wasClosing });
        },
        ...(onUpgrade && { onUpgrade: (upgraded) => onUpgrade(upgraded, origin) }),
      });
      const { method = "GET", url: path = "/" } = request;
      exchange.start({ path, method, headers, body: null, ...(upgrade && { upgrade }) });
      return;
    }
    const onUnanswered = (error: Error): void => void repeatOrRefuse(call, { error, wasClosing: false });
    try {
      const upload = new Upload(request, response, {
        agent: connections.agent,
        origin,
        headers,
        hasBody: hasContent,
        onUnanswered,
      });
      upload.start();
    } catch (error) {
      onUnanswered(error instanceof Error ? error : new Error(messageOf(error)));
    }
  }

  /** What comes of a request that the app did not answer. */
  async function repeatOrRefuse(
    call: Call,
    { error, wasClosing }: { error: Error; wasClosing: boolean },
  ): Promise<void> {
    const { request, response, refusals, wasRepeated } = call;
    const code = errorCodeOf(error) ?? "";
    const method = request.method ?? "";
    if (UNWRITABLE.has(code)) {
      const detail = `the request cannot be passed on: ${error.message}`;
      sendRefusal(response, new ChanctlError("malformed", detail));
    } else if (NOT_CONNECTED.has(code)) {
      // Nothing has been sent, so that any method may be repeated.
      const waitedOut = app.isOutdated ? REFUSALS_BEFORE_SUCCESSOR : REFUSALS_WAITED_OUT;
      if (refusals < waitedOut && !isNavigation(request)) {
        await delay(REFUSAL_PAUSE_MS);
        admit({ ...call, refusals: refusals + 1 });
        return;
      }
      warn("app-unreachable", `the app refuses connections at ${app.origin.host}`);
      sendAppDown(request, response, { app, showOutput });
    } else if (wasClosing && !wasRepeated && IDEMPOTENT.has(method) && !hasBody(request)) {
      // Otherwise the app has had the request, and may have died of it.
      admit({ ...call, wasRepeated: true });
    } else if (OUT_OF_FILES.has(code)) {
      const detail = `chanctl may open no more files and connections (${code})`;
      warn("out-of-files", `${detail}, for ${method} ${pathOf(request)}; \`ulimit -n\` shows how many`);
      sendRefusal(response, new ChanctlError("app_unavailable", detail, { retryAfterSecs: 1 }));
    } else {
      const detail = whyUnanswered(error);
      warn("app-broke-off", `${detail} ${method} ${pathOf(request)}: ${messageOf(error)}`);
      sendRefusal(response, new ChanctlError("app_unavailable", detail, { status: 502 }));
    }
  }

  function warn(event: string, message: string): void {
    if (performance.now() - warnedAt < WARNING_INTERVAL_MS) return;
    warnedAt = performance.now();
    logger({ level: "warn", event, message });
  }

  async function close(): Promise<void> {
    tunnels.close();
    await connections.close();
  }

  return {
    request(request, response) {
      open.add(response);
      admit({ request, response, refusals: 0, wasRepeated: false });
    },
    upgrade(request, socket, head) {
      const { response, accept } = openHandshake(request, socket, head);
      tunnels.add(socket);
      if (hasBody(request)) {
        sendRefusal(response, new ChanctlError("malformed", "a request to switch protocols has no body"));
        return;
      }
      const onUpgrade = (upgraded: Upgraded, origin: URL): void => {
        accept(upgraded);
        tunnels.join(socket, origin);
      };
      admit({ request, response, onUpgrade, refusals: 0, wasRepeated: false });
    },
    leave({ graceMs }) {
      tunnels.close();
      setTimeout(() => open.breakOff(), graceMs).unref();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/**
 * The protocol to ask the app for. Never HTTP/2: within it a client would send requests past the proxy, to
 * paths that are not for it (CWE-444). Such a request is passed on as if it did not ask to switch.
 */
function wantedProtocol({ headers }: ProxyRequest): string | undefined {
  const protocol = headers.upgrade;
  return protocol === undefined || /\bh2c?\b/i.test(protocol) ? undefined : protocol;
}

/** Without the query, which may hold a token (CWE-532). */
function pathOf({ url }: ProxyRequest): string {
  return (url ?? "/").split("?", 1)[0] ?? "/";
}
