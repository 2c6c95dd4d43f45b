import type { IncomingMessage } from "node:http";
import { relative } from "node:path";

import type { PortTaker } from "../../../app/free-port-wait.ts";
import { describePortTaken } from "../../../app/port-taken.ts";
import { readBytes, sendRequest } from "../../../platform/http-request.ts";
import { AUTHORIZE_PATH } from "../../../protocol/app-call.ts";
import type { RegistryEntry } from "../../../registry/registry.ts";
import { errorCodeOf, messageOf } from "../../../shared/errors.ts";
import { devLogPath, readLogPid } from "../../server/log-start.ts";
import type { Check, Scene, Verdict } from "../check.ts";

const ANSWER_MS = 10_000;
/** A channel that no app has. */
const MADE_UP = "chanctl-doctor-asks";

/** What the app answered to a call: its status, and its body as text; or why it did not. */
export type AppReply = Answered | { readonly problem: string };

const NOT_ASKED: AppReply = { problem: "it is asked once it is ready" };

interface Answered {
  readonly status: number;
  readonly text: string;
}

/** Whether the app answers, and says who may use a channel. */
export const appAnswers: Check = {
  name: "app",
  group: "server",
  run: async ({ run, root, stateFolder, channels }, signal) => {
    if (run?.isAlive !== true) return undefined;
    const timely = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
    const app = await readApp(run, timely).catch(() => undefined);
    if (app === undefined || app === "unknown") return undefined; // the listener's check has said why
    if (app === "none") return judgeApp({ app });
    if (app.state === "blocked") return judgeBlocked(app);
    const broken = brokenFiles(await channels.catch(() => []));
    const path = devLogPath(stateFolder);
    const log = (await readLogPid(path)) === run.pid ? relative(root, path) : undefined;
    // Whoever has the port of an app that is down must not see the token (CWE-522).
    if (app.state !== "ready") return judgeApp({ app, reply: NOT_ASKED, stranger: NOT_ASKED, broken, log });
    const url = new URL(AUTHORIZE_PATH, app.origin);
    if (app.address !== undefined) url.host = `${toHost(app.address)}:${url.port}`;
    const reply = await ask(url, { token: run.token, signal: timely });
    // Who does not show the token must not be answered (CWE-306).
    const stranger = await ask(url, { token: "not-the-token", signal: timely });
    return judgeApp({ app, reply, stranger, broken, log });
  },
};

/** The app, as the broker sees it. */
export interface SeenApp {
  readonly origin: string;
  readonly address: string | undefined;
  readonly state: string;
  /** Who has its port. */
  readonly portTaker?: PortTaker | undefined;
}

type AppFacts =
  | { readonly app: "none" }
  | {
      readonly app: SeenApp;
      /** To who shows the token. */
      readonly reply: AppReply;
      /** To who does not. */
      readonly stranger: AppReply;
      /** The channel files that do not load and that the app may import. */
      readonly broken: readonly string[];
      /** The file with what it wrote; `serve` keeps none. */
      readonly log?: string | undefined;
    };

const SAYS_WHETHER = /"ok"\s*:/;

const MOUNT =
  'app.use(channels.middleware)     before its own routes, with `channels` of `await loadChannels("./channels")`';

/** Another program has the app's port. */
export function judgeBlocked({ origin, portTaker }: SeenApp): Verdict {
  const { message, hint } = describePortTaken(Number(new URL(origin).port), portTaker);
  return { status: "fail", message, fix: hint };
}

export function judgeApp(facts: AppFacts): Verdict {
  if (facts.app === "none") return { status: "ok", message: "none: the broker runs alone" };
  const { app, reply, stranger, broken, log } = facts;
  const lookOrMend =
    broken.length === 0
      ? `look at what it wrote${log === undefined ? ", in the terminal of chanctl" : `: ${log}`}`
      : `mend ${broken.join(" and ")} first     the app may load it too`;
  if ("problem" in reply) {
    return {
      status: app.state === "starting" ? "warn" : "fail",
      message: `${app.origin} does not answer (${app.state}): ${reply.problem}`,
      fix: lookOrMend,
    };
  }
  if (isAnswer(stranger))
    return {
      status: "fail",
      message: `${AUTHORIZE_PATH} answers whoever asks: it does not look at the token`,
      fix: "compare `Authorization: Bearer` with CHANCTL_TOKEN, and answer 404 to others",
    };
  if (isAnswer(reply) || isRefusal(reply, stranger))
    return { status: "ok", message: `${app.origin} answers authorize calls` };
  // What tells who shows the token from others is mounted.
  const isFailing = reply.status >= 500 && !isAlike(reply, stranger);
  const what = isFailing ? "fails at authorize calls" : "answers, but not to authorize calls";
  return {
    status: "warn",
    message: `${app.origin} ${what} (${reply.status} for POST ${AUTHORIZE_PATH}): only public channels work`,
    fix: isFailing ? lookOrMend : MOUNT,
  };
}

function brokenFiles(entries: readonly RegistryEntry[]): readonly string[] {
  return entries
    .filter(({ file, error }) => error !== undefined && !file.endsWith(".json"))
    .map(({ file }) => file);
}

function isAnswer(reply: AppReply): boolean {
  return "status" in reply && reply.status === 200 && SAYS_WHETHER.test(reply.text);
}

/** The SDK's own of a channel that the app was not given; who is told just what a stranger is was taken for one. */
function isRefusal(reply: Answered, stranger: AppReply): boolean {
  const { status, text } = reply;
  return [401, 403, 404].includes(status) && SAYS_WHETHER.test(text) && !isAlike(reply, stranger);
}

function isAlike({ status, text }: Answered, stranger: AppReply): boolean {
  return "status" in stranger && stranger.status === status && stranger.text === text;
}

async function readApp(
  { internalUrl, token }: NonNullable<Scene["run"]>,
  signal: AbortSignal,
): Promise<SeenApp | "none" | "unknown"> {
  const headers = { authorization: `Bearer ${token}` };
  const message = await sendRequest(new URL("/_chanctl/app", internalUrl), { headers, signal });
  const body: unknown = JSON.parse(await readText(message));
  if (message.statusCode !== 200 || typeof body !== "object" || body === null || !("app" in body))
    return "unknown"; // another version runs
  const { app } = body;
  if (typeof app !== "object" || app === null) return "none";
  const fields = app as Readonly<Record<string, unknown>>;
  const address = typeof fields["address"] === "string" ? fields["address"] : undefined;
  const portTaker = toPortTaker(fields["portTaker"]);
  return { origin: String(fields["origin"]), state: String(fields["state"]), address, portTaker };
}

function toPortTaker(value: unknown): PortTaker | undefined {
  if (typeof value !== "object" || value === null || !("pid" in value) || !("description" in value))
    return undefined;
  return { pid: Number(value.pid), description: String(value.description) };
}

async function ask(
  url: URL,
  { token, signal }: { readonly token: string; readonly signal: AbortSignal },
): Promise<AppReply> {
  const body = JSON.stringify({
    version: 1,
    channel: MADE_UP,
    params: {},
    operation: "subscribe",
    transport: "sse",
  });
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  try {
    const message = await sendRequest(url, { method: "POST", headers, body, signal });
    return { status: message.statusCode ?? 0, text: await readText(message) };
  } catch (error) {
    return { problem: errorCodeOf(error) ?? messageOf(error) };
  }
}

async function readText(message: IncomingMessage): Promise<string> {
  return (await readBytes(message)).toString("utf8");
}

function toHost(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}
