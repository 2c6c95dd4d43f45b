import { createServer, request } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { once } from "node:events";

/** A proxy on which every second answer breaks off. */
export interface BreakingProxy extends AsyncDisposable {
  readonly url: string;
  /** How many answers broke off, by method. */
  readonly broken: Readonly<Record<string, number>>;
}

/**
 * Stands before a server as a bad line does: the request arrives and is carried out, and of every second answer half
 * its body comes, or, where it has none, nothing. An event stream breaks off after its first data event, before the
 * control event that belongs to it.
 */
export async function startBreakingProxy(target: string): Promise<BreakingProxy> {
  const broken: Record<string, number> = {};
  const counts: Record<string, number> = {};
  const server = createServer((incoming, response) => {
    const { method = "GET" } = incoming;
    counts[method] = (counts[method] ?? 0) + 1;
    // The first answer tells the client that somebody is there.
    const breaks = counts[method] % 2 === 0;
    if (breaks) broken[method] = (broken[method] ?? 0) + 1;
    void forward(incoming, { response, target, breaks });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    broken,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function forward(
  incoming: IncomingMessage,
  { response, target, breaks }: { response: ServerResponse; target: string; breaks: boolean },
): Promise<void> {
  const { method, url = "/", headers } = incoming;
  const outgoing = request(new URL(url, target), { method, headers, agent: false });
  outgoing.on("error", () => response.destroy());
  outgoing.end(await buffer(incoming));
  const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
  if (!breaks) {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
    return;
  }
  if (answer.headers["content-type"] === "text/event-stream") return breakEvents(answer, response);
  const body = await buffer(answer);
  if (body.length > 1) {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.destroy());
  } else response.destroy();
}

async function breakEvents(answer: IncomingMessage, response: ServerResponse): Promise<void> {
  response.writeHead(answer.statusCode ?? 502, answer.headers);
  for await (const chunk of answer.setEncoding("utf8") as AsyncIterable<string>) {
    const data = chunk.indexOf("event: data");
    if (data === -1) response.write(chunk);
    else {
      const end = chunk.indexOf("event: control", data);
      response.write(chunk.slice(0, end), () => response.destroy());
      break;
    }
  }
}
