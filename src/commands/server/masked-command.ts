import { joinShellWords } from "./shell-words.ts";

/** A word that no shell has to have quoted. */
const MASK = "masked";

/** The name of a flag or a variable whose value may be a secret. Too many is better than one too few. */
const SECRET_NAME = "[\\w.-]*(?:secret|token|passw|pwd|key|credential|auth)[\\w.-]*";
const SECRET_FLAG = new RegExp(`^--?(?!no-)${SECRET_NAME}$`, "i");
const SECRET_ASSIGNMENT = new RegExp(`^(${SECRET_NAME}=).*$`, "is");

/** The same within a command line that is one word: `--app "API_KEY=… node server.js --token …"`. */
const INNER_ASSIGNMENT = new RegExp(`(${SECRET_NAME}=)("[^"]*"|'[^']*'|[^\\s&]+)`, "gi");
const INNER_FLAG = new RegExp(`(\\s--?(?!no-)${SECRET_NAME}\\s+)("[^"]*"|'[^']*'|\\S+)`, "gi");
/** `postgres://user:password@host`. */
const USER_INFO = /(\/\/)[^\s/@]+@/g;

/**
 * The command line of a run as a bug report may show it: what flags, variables and URLs hold of secrets is masked
 * (CWE-532).
 *
 * @param args what came after `chanctl`.
 */
export function maskedCommand(args: readonly string[], platform: NodeJS.Platform): string {
  const words = args.map((arg, index) => maskedWord(arg, args[index - 1] ?? ""));
  return joinShellWords(["chanctl", ...words], platform);
}

function maskedWord(word: string, before: string): string {
  if (SECRET_FLAG.test(before)) return MASK;
  const isCommand = before === "--app" || word.startsWith("--app=");
  return (isCommand ? word : word.replace(SECRET_ASSIGNMENT, `$1${MASK}`))
    .replaceAll(INNER_ASSIGNMENT, `$1${MASK}`)
    .replaceAll(INNER_FLAG, `$1${MASK}`)
    .replaceAll(USER_INFO, `$1${MASK}@`);
}
