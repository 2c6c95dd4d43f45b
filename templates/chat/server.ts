import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";

import { loadChannels } from "chanctl";

import { readSession, writeSession } from "./session.ts";

const FILES: Record<string, { name: string; type: string }> = {
  "/": { name: "index.html", type: "text/html" },
  "/app.js": { name: "app.js", type: "text/javascript" },
  "/connection.js": { name: "connection.js", type: "text/javascript" },
  "/style.css": { name: "style.css", type: "text/css" },
};
const MAX_FORM_BYTES = 1_000;
const YEAR_SECS = 365 * 24 * 60 * 60;

const channels = await loadChannels("./channels");

const server = createServer((request, response) => {
  channels.middleware(request, response, () => {
    respond(request, response).catch((error: unknown) => {
      console.error(error);
      response.destroy();
    });
  });
});
server.listen(Number(process.env.PORT ?? 3000), process.env.HOST);

async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url?.split("?")[0] ?? "/";
  const file = FILES[path];
  if (request.method === "POST" && path === "/sign-in") await signIn(request, response);
  else if (request.method === "POST" && path === "/sign-out") signOut(response);
  else if (path === "/me") sendJson(response, readSession(cookieOf(request)) ?? null);
  else if (file !== undefined) sendFile(response, file);
  else response.writeHead(404).end("not found\n");
}

async function signIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (Number(request.headers["content-length"] ?? Infinity) > MAX_FORM_BYTES) {
    response.writeHead(413).end("the form is too big\n");
    return;
  }
  const form = new URLSearchParams(await text(request));
  const name = form.get("name")?.trim() ?? "";
  if (name === "" || name.length > 32) {
    response.writeHead(400).end("a name has 1 to 32 characters\n");
    return;
  }
  const room = form.get("room") || "lobby";
  setSession(response, writeSession(name), YEAR_SECS);
  response.writeHead(303, { location: `/?${new URLSearchParams({ room })}` }).end();
}

function signOut(response: ServerResponse): void {
  setSession(response, "", 0);
  response.writeHead(303, { location: "/" }).end();
}

function setSession(response: ServerResponse, value: string, maxAgeSecs: number): void {
  const cookie = `session=${value}; Path=/; Max-Age=${maxAgeSecs}; HttpOnly; SameSite=Lax`;
  const isSecure = response.req.headers["x-forwarded-proto"] === "https";
  response.setHeader("set-cookie", isSecure ? `${cookie}; Secure` : cookie);
}

function cookieOf(request: IncomingMessage): string | undefined {
  return /(?:^|; )session=([^;]*)/.exec(request.headers.cookie ?? "")?.[1];
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify(value));
}

function sendFile(response: ServerResponse, { name, type }: { name: string; type: string }): void {
  response.writeHead(200, { "content-type": `${type}; charset=utf-8`, "cache-control": "no-cache" });
  createReadStream(new URL(`./public/${name}`, import.meta.url)).pipe(response);
}
