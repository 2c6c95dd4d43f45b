import { once } from "node:events";
import { connect } from "node:http2";
import type { SubscriberClient } from "./subscriber-client.ts";
import { readEvents } from "./subscriber-client-sse.ts";

/** Server-Sent Events over HTTP/2, on a connection of its own. */
export const http2Client: SubscriberClient = {
  name: "SSE",
  connect: async (url, { headers = {}, ca } = {}) => {
    const { origin, pathname, search } = new URL(url);
    const session = connect(origin, ca === undefined ? {} : { ca });
    const stream = session.request({ ":path": pathname + search, ...headers });
    stream.once("close", () => session.destroy());
    const [answered] = await once(stream, "response");
    if (answered[":status"] !== 200) throw new Error(`expected 200, got ${answered[":status"]}`);
    return readEvents(stream.setEncoding("utf8"), answered);
  },
};
