/** What came of a question to a person; `cancelled` is Ctrl-C, which a prompt reads as a key, or Esc. */
export type Answer = "yes" | "no" | "cancelled";

interface Question {
  readonly message: string;
  /** What Enter says. @default "yes" */
  readonly initial?: "yes" | "no";
  /** Takes the question away; it then counts as cancelled. */
  readonly signal?: AbortSignal;
}

/** Asks a question whose answer is yes or no. Only where `io.isTerminal`: else nobody would answer. */
export async function askYesNo({ message, initial = "yes", signal }: Question): Promise<Answer> {
  const { confirm, isCancel } = await import("@clack/prompts");
  const initialValue = initial === "yes";
  const answer = await confirm({ message, initialValue, ...(signal === undefined ? {} : { signal }) });
  if (isCancel(answer)) return "cancelled";
  return answer ? "yes" : "no";
}

/** The exit code of a command that does not go on: as a shell reports Ctrl-C, or a failure. */
export function exitCodeOfAnswer(answer: "no" | "cancelled"): number {
  return answer === "cancelled" ? 130 : 1;
}
