import { startTestApp } from "./app-answers.ts";
import type { Answer, AppCall, TestApp } from "./app-answers.ts";
import { startTestServer } from "./server.ts";
import type { TestServer, TestServerOptions } from "./server.ts";

/** A server whose app is asked about every caller, and answers each token as the test says. */
export interface GuardedServer extends AsyncDisposable {
  readonly server: TestServer;
  readonly app: TestApp;
  /** Makes a token about which the app answers this. */
  tokenFor(answer: Answer): string;
  /** The calls that the app has got about a token. */
  callsAbout(token: string): AppCall[];
}

/** Starts an app and, in front of it, a server. A token that the test did not make is refused. */
export async function startGuardedServer(options: TestServerOptions = {}): Promise<GuardedServer> {
  const answers = new Map<unknown, Answer>();
  const app = await startTestApp((call, response) => {
    const answer = answers.get(tokenOf(call));
    return answer === undefined ? { ok: false, status: 401 } : answer(call, response);
  });
  const server = await startTestServer({ channels: GUARDED_CHANNELS, app: { url: app.url }, ...options });
  return {
    server,
    app,
    tokenFor: (answer) => {
      const token = `token-${answers.size + 1}`;
      answers.set(token, answer);
      return token;
    },
    callsAbout: (token) => app.calls.filter((call) => tokenOf(call) === token),
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await app[Symbol.asyncDispose]();
    },
  };
}

/** The headers of a caller who shows a token. */
export function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

function tokenOf({ body }: AppCall): unknown {
  const { header, cookie } = body as { header?: { value: string }; cookie?: string };
  return header?.value ?? cookie;
}

const GUARDED_CHANNELS = {
  guarded: {
    transport: "ws",
    auth: { headerName: "Authorization", cookieName: "session" },
    paramsSchema: { type: "object", properties: { room: { type: "string" }, level: { type: "integer" } } },
  },
  "guarded-read": { auth: { headerName: "authorization" } },
  keyed: { transport: "ws", auth: { headerName: "X-Key" } },
};
