import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startServer } from "#src/server/start-server.ts";
import { DEFAULT_LIMITS } from "#src/shared/limits.ts";
import type { LogEntry } from "#src/shared/logger.ts";
import type { Endpoint } from "../load/endpoint.ts";
import type { RunningTarget, Target } from "./target.ts";

const TOKEN = "bench-token";
const DEFINITION = {
  transport: "ws",
  public: true,
  paramsSchema: { type: "object", properties: { room: { type: "string" } }, required: ["room"] },
  keepaliveIntervalMs: 300_000, // subscribers of the bench do not answer pings
};
const WRAP = { prefix: '{"type":"message","data":', suffix: "}" };
const ONE_ROOM = "/channels/chat?room=bench";
const OWN_ROOM = "/channels/chat?room={lane}";

/** The broker as `chanctl serve` runs it, with the limits on clients raised where a scenario is above them. */
export const chanctl: Target = { name: "chanctl", start };

async function start(folder: string): Promise<RunningTarget> {
  const channels = join(folder, "channels");
  await mkdir(channels, { recursive: true });
  await writeFile(join(channels, "chat.json"), JSON.stringify(DEFINITION));
  const server = await startServer({
    root: folder,
    channels,
    stateFolder: join(folder, ".chanctl"),
    host: "127.0.0.1",
    port: 0,
    http2: false,
    watch: false,
    internalHost: "127.0.0.1",
    token: TOKEN,
    allowedOrigins: [],
    authorizeRetryMs: 0,
    limits: {
      ...DEFAULT_LIMITS,
      maxConnectionsPerAddress: 10_000,
      maxPublishesPerSec: 10_000_000,
      publishBurst: 10_000_000,
    },
    durableStreams: undefined,
    env: {},
    logger: printTrouble,
  });
  const open = toAddress(server.url);
  const internal = toAddress(server.internalUrl);
  const headers = { authorization: `Bearer ${TOKEN}` };
  const resume = { idText: '"id":"', idBytes: 33, parameter: "last_message_id" };
  const ready = { readyText: '"control":"ready"' };
  return {
    endpoints: {
      append: { kind: "post", url: `${internal}/channels/chat/messages?room=bench`, headers, wrap: WRAP },
      publish: { kind: "ws", url: internal + ONE_ROOM, headers, wrap: WRAP, ...ready },
      publishOwn: { kind: "ws", url: open + OWN_ROOM, wrap: WRAP, ...ready },
      liveWs: { kind: "ws", url: open + ONE_ROOM, ...ready, resume },
      liveSse: { kind: "sse", url: open + ONE_ROOM, readyText: "id: ", resume },
      replay: fromStart(open + ONE_ROOM),
      replayOwn: fromStart(open + OWN_ROOM),
    },
    close: () => server.close(),
  };
}

function fromStart(url: string): Endpoint {
  return { kind: "sse", url: `${url}&last_message_id=start` };
}

/** The load connects by address: the name would be looked up for each of a thousand connections. */
function toAddress(url: string): string {
  return url.replace("localhost", "127.0.0.1");
}

function printTrouble({ level, message }: LogEntry): void {
  if (level !== "info") process.stderr.write(`chanctl: ${message}\n`);
}
