import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { requestHead } from "./connection.ts";
import { urlOf } from "./endpoint.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Publisher, PublisherOptions } from "./publisher.ts";

const END_OF_HEAD = "\r\n\r\n";
const CONTENT_LENGTH = /\r\ncontent-length: (\d+)/i;
const CHUNKED = /\r\ntransfer-encoding: chunked/i;

/**
 * Opens a keep-alive connection that POSTs one message at a time, or GETs without one.
 *
 * The head is made once and an answer is read by its status and length only: with `fetch` or `node:http` the
 * generator would need several times the CPU of the server it measures.
 */
export async function openPoster(endpoint: Endpoint, options: PublisherOptions): Promise<Publisher> {
  const { lane, onAcknowledged, onFailed } = options;
  const url = urlOf(endpoint, lane);
  let answer = "";
  let isWaiting = false;
  const onData = (text: string): void => {
    answer += text;
    const headEnd = answer.indexOf(END_OF_HEAD);
    if (headEnd === -1) return;
    const head = answer.slice(0, headEnd);
    const length = Number(CONTENT_LENGTH.exec(head)?.[1] ?? 0);
    if (!head.startsWith("HTTP/1.1 2") || CHUNKED.test(head))
      onFailed(`expected 2xx with a length, got ${answer}`);
    else if (answer.length >= headEnd + END_OF_HEAD.length + length) {
      answer = "";
      isWaiting = false;
      onAcknowledged();
    }
  };
  const open = (): Socket => {
    const opened = dial(url);
    opened.setEncoding("latin1").on("data", onData);
    opened.on("end", () => {
      if (isWaiting) onFailed("the target closed the connection instead of answering");
    });
    return opened.on("error", (error) => onFailed(error.message));
  };
  let socket = open();
  await once(socket, url.protocol === "https:" ? "secureConnect" : "connect");
  const headers = { "content-type": "application/json", ...endpoint.headers };
  const start = `${requestHead("POST", url, headers)}\r\ncontent-length: `;
  const get = `${requestHead("GET", url, endpoint.headers)}${END_OF_HEAD}`;
  return {
    publish: (payload) => {
      // A connection that has nothing to do may be closed (RFC 9112, section 9.8).
      if (!socket.writable) socket = open();
      isWaiting = true;
      if (endpoint.method === "GET") {
        socket.write(get, "latin1");
        return;
      }
      const head = `${start}${payload.length}${END_OF_HEAD}`;
      socket.write(head + payload.toString("latin1"), "latin1");
    },
  };
}

/** Certificates are not checked: what is measured is the target, on this machine. */
function dial(url: URL): Socket {
  const options = { host: url.hostname, port: Number(url.port), noDelay: true };
  return url.protocol === "https:" ? connectTls({ ...options, rejectUnauthorized: false }) : connect(options);
}
