import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import type {
  IncomingHttpHeaders,
  IncomingMessage,
  OutgoingHttpHeaders,
  Server,
  ServerResponse,
} from "node:http";
import { connect, createSecureServer } from "node:http2";
import { request as httpsRequest } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { Duplex } from "node:stream";
import { onTestFinished } from "vitest";
import type { App } from "#src/app/app.ts";
import { createAppProxy } from "#src/app/proxy.ts";
import type { AppProxy } from "#src/app/proxy.ts";
import { continueWhenRead } from "#src/server/continue-when-read.ts";
import { remoteApp } from "#src/app/remote-app.ts";
import type { LogEntry } from "#src/shared/logger.ts";

export const FRONTS = ["http/1.1", "http/1.1 over TLS", "h2"] as const;
export type FrontKind = (typeof FRONTS)[number];

interface Ask {
  readonly method?: string;
  readonly path?: string;
  /** What the request line says, where it is no path. */
  readonly target?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Readable;
  readonly onEarlyHints?: (headers: IncomingHttpHeaders) => void;
}

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Fails where the answer was broken off. */
  readonly body: Readable;
  readonly trailers: () => IncomingHttpHeaders;
}

export interface Front {
  readonly port: number;
  readonly origin: string;
  readonly log: readonly LogEntry[];
  readonly proxy: AppProxy;
  /** Sends a request through the proxy; resolves with the head of the answer. */
  ask(ask?: Ask): Promise<Reply>;
}

/** Starts a server of each kind with nothing behind it but the proxy to `app`. */
export async function startFront(
  kind: FrontKind,
  app: App | string,
  options: { readonly showOutput?: boolean } = {},
): Promise<Front> {
  const log: LogEntry[] = [];
  const proxy = createAppProxy({
    app: typeof app === "string" ? remoteApp(app) : app,
    logger: (entry) => void log.push(entry),
    ...options,
  });
  const server =
    kind === "http/1.1"
      ? createServer((request, response) => proxy.request(request, response))
      : createSecureServer({ ...keyPair(), allowHTTP1: true }, (request, response) => {
          proxy.request(request, response);
        });
  server.on("checkContinue", (request, response) => {
    continueWhenRead(request, response);
    proxy.request(request, response);
  });
  server.on("upgrade", (request, socket: Duplex, head: Buffer) => proxy.upgrade(request, socket, head));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    await proxy.close();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const origin = `${kind === "http/1.1" ? "http" : "https"}://127.0.0.1:${port}`;
  const ask = async (what: Ask = {}): Promise<Reply> =>
    kind === "h2" ? askH2(origin, what) : askH1(origin, what);
  return { port, origin, log, proxy, ask };
}

/** Starts an app on a free port. @returns Its origin. */
export async function startApp(
  listener: (request: IncomingMessage, response: ServerResponse) => unknown,
  host = "127.0.0.1",
): Promise<{ origin: string; server: Server }> {
  const server = createServer((request, response) => void listener(request, response)).listen(0, host);
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { origin: `http://localhost:${(server.address() as AddressInfo).port}`, server };
}

async function askH1(
  origin: string,
  { method = "GET", path = "/", target = path, headers = {}, body, onEarlyHints }: Ask,
): Promise<Reply> {
  const options = {
    method,
    path: target,
    headers,
    agent: false,
    rejectUnauthorized: false,
    maxHeaderSize: 131_072,
  };
  const request = (origin.startsWith("https") ? httpsRequest : httpRequest)(origin, options);
  request.on("information", (info: { headers: IncomingHttpHeaders }) => onEarlyHints?.(info.headers));
  request.on("error", () => {}); // `once` below rejects with it where it is before the answer
  onTestFinished(() => void request.destroy());
  if (body instanceof Readable) body.pipe(request);
  else request.end(body);
  const [response] = await once(request, "response");
  response.on("error", () => {}); // whoever reads the body meets it
  const head = { status: Number(response.statusCode), headers: response.headers as IncomingHttpHeaders };
  return { ...head, body: response, trailers: () => response.trailers };
}

async function askH2(
  origin: string,
  { method = "GET", path = "/", target = path, headers = {}, body, onEarlyHints }: Ask,
): Promise<Reply> {
  const session = connect(origin, { rejectUnauthorized: false });
  session.on("error", () => {});
  onTestFinished(() => session.destroy());
  const head = { ":method": method, ":path": target, ...headers };
  const stream = session.request(head, { endStream: body === undefined });
  let trailers: IncomingHttpHeaders = {};
  stream.on("headers", (early) => onEarlyHints?.(early));
  stream.on("trailers", (late) => void (trailers = late));
  stream.on("error", () => {});
  if (body instanceof Readable) body.pipe(stream);
  else if (body !== undefined) stream.end(body);
  const [answer] = await once(stream, "response");
  return { status: Number(answer[":status"]), headers: answer, body: stream, trailers: () => trailers };
}

let pair: { readonly key: Buffer; readonly cert: Buffer } | undefined;

/** A self-signed pair, made once a file. */
function keyPair(): { readonly key: Buffer; readonly cert: Buffer } {
  if (pair !== undefined) return pair;
  const folder = mkdtempSync(join(tmpdir(), "chanctl-tls-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const args = [
    "req",
    "-x509",
    ...kind,
    "-keyout",
    key,
    "-out",
    cert,
    "-days",
    "2",
    "-subj",
    "/CN=localhost",
  ];
  execFileSync("openssl", args, { stdio: "pipe" });
  pair = { key: readFileSync(key), cert: readFileSync(cert) };
  rmSync(folder, { recursive: true });
  return pair;
}
