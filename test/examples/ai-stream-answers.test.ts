import { fileURLToPath } from "node:url";
import { afterEach, expect, it, vi } from "vitest";
import { PATIENT } from "../support/patient.ts";
import { startStreamServer } from "../support/stream-server.ts";

const ANSWERS = fileURLToPath(new URL("../../examples/ai-stream/answers.js", import.meta.url));

interface Answers {
  readonly begin: (conversation: string) => Promise<void>;
  readonly ask: (conversation: string, question: string) => Promise<string>;
  readonly resume: () => Promise<void>;
}

afterEach(() => vi.unstubAllEnvs());

it("examples/ai-stream writes an answer of its own to each who ask at the same moment", async () => {
  await using server = await startStreamServer({});
  vi.stubEnv("CHANCTL_URL", server.internalUrl);
  vi.stubEnv("CHANCTL_TOKEN", server.token);
  vi.stubEnv("TOKEN_MS", "1");
  const { begin, ask, resume } = (await import(ANSWERS)) as Answers;
  await resume();
  await begin("conversations/c");
  const questions = ["Why one?", "Why two?"];
  const paths = await Promise.all(questions.map((question) => ask("conversations/c", question)));
  const isClosed = async (path: string): Promise<boolean> =>
    (await server.asApp(path, { method: "HEAD" })).headers.has("stream-closed");
  await vi.waitFor(async () => {
    expect(await Promise.all(paths.map(isClosed))).toEqual([true, true]);
  }, PATIENT);
  const answers = await Promise.all(paths.map(async (path) => (await server.asApp(path)).text()));
  for (const [index, question] of questions.entries()) expect(answers[index]).toContain(question);
});
