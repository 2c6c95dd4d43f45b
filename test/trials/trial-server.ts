import { onTestFinished } from "vitest";
import { parseOffset } from "#src/protocol/offset.ts";
import { startServerProcess } from "../support/server-process.ts";
import type { ServerProcess, ServerProcessOptions } from "../support/server-process.ts";
import type { Received } from "../support/subscriber-client.ts";
import { openSse } from "../support/subscriber-client-sse.ts";

export interface TrialServerOptions extends ServerProcessOptions {
  /** The project's folder, which outlives the server. */
  readonly root: string;
  /** Whether the app is shown what clients publish. @default false */
  readonly onPublish?: boolean;
}

/** Starts a server, killed with the test, whose channel `chat` may be read and published to by whom the app lets in. */
export async function startTrialServer(options: TrialServerOptions): Promise<ServerProcess> {
  const { root, onPublish = false, ...rest } = options;
  const chat = { transport: "ws", auth: { headerName: "authorization" }, onPublish };
  const server = await startServerProcess(root, { chat }, rest);
  onTestFinished(() => server.kill());
  return server;
}

/** Reads `chat` from its first message up to the one with this id, as the app. */
export async function readStream(
  { internalUrl, token }: Pick<ServerProcess, "internalUrl" | "token">,
  newest: string,
): Promise<readonly Received[]> {
  const { log, close } = await openSse(`${internalUrl}/channels/chat?last_message_id=start`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const stream = await log.waitFor(parseOffset(newest)?.position ?? 0);
  close();
  return stream;
}
