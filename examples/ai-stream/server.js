import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

import { allow, createChannels, reject } from "chanctl";
import { build } from "esbuild";

import { ask, begin, resume, stop } from "./answers.js";

const CONVERSATION = /^conversations\/[0-9a-f-]{36}(?:\/[0-9a-f-]{36})?$/;
const MAX_QUESTION_LENGTH = 500;

/** The broker asks who may do what with a stream. Here: who has the link reads along, and only the app writes. */
const channels = createChannels(
  {},
  {
    authorizeStream: ({ stream, operation }) =>
      operation === "read" && CONVERSATION.test(stream) ? allow() : reject("only the app may do that"),
  },
);

const file = (name) => fileURLToPath(new URL(`./public/${name}`, import.meta.url));
const bundle = await build({
  entryPoints: [file("app.js")],
  bundle: true,
  format: "esm",
  write: false,
  logLevel: "warning",
});
const FILES = {
  "/": { type: "text/html", body: await readFile(file("index.html")) },
  "/app.js": { type: "text/javascript", body: bundle.outputFiles[0].contents },
  "/style.css": { type: "text/css", body: await readFile(file("style.css")) },
};

const server = createServer((request, response) => {
  channels.middleware(request, response, () => {
    respond(request, response).catch((error) => {
      console.error(error);
      response.destroy();
    });
  });
});
server.listen(Number(process.env.PORT ?? 3000), process.env.HOST);
await resume();

async function respond(request, response) {
  const { method } = request;
  const path = request.url.split("?")[0];
  const found = FILES[path];
  if (method === "GET" && found !== undefined) {
    response.writeHead(200, { "content-type": `${found.type}; charset=utf-8`, "cache-control": "no-cache" });
    response.end(found.body);
  } else if (method === "POST" && path === "/begin") {
    const conversation = `conversations/${randomUUID()}`;
    await begin(conversation);
    sendJson(response, { conversation });
  } else if (method === "POST" && (path === "/ask" || path === "/stop")) {
    const { conversation, question, answer } = await json(request);
    if (!CONVERSATION.test(conversation)) sendJson(response, { error: "no such conversation" }, 404);
    else if (path === "/stop") {
      await stop(conversation, String(answer));
      sendJson(response, {});
    } else if (typeof question !== "string" || question === "" || question.length > MAX_QUESTION_LENGTH)
      sendJson(response, { error: `a question has 1 to ${MAX_QUESTION_LENGTH} characters` }, 400);
    else sendJson(response, { answer: await ask(conversation, question) });
  } else response.writeHead(404).end("not found\n");
}

function sendJson(response, value, status = 200) {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify(value));
}
