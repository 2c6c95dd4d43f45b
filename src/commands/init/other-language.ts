import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { detectAppCommand } from "../server/detect-app.ts";

/** What an app is written in that is not Node's. Its channels are JSON files, and it answers chanctl by HTTP. */
export type OtherLanguage = "python" | "go" | "ruby" | "php" | "unknown";

interface Signs {
  readonly language: OtherLanguage;
  /** Files that only such a project has. */
  readonly files: readonly string[];
  /** Starts the app as far as the files tell, where no framework does; absent: nobody knows. */
  readonly command: (has: (file: string) => boolean) => string | undefined;
}

const PYTHON_ENTRIES = ["main.py", "app.py", "server.py"];

const SIGNS: readonly Signs[] = [
  {
    language: "python",
    files: ["pyproject.toml", "requirements.txt", "manage.py", "setup.py", "Pipfile", ...PYTHON_ENTRIES],
    command: (has) => {
      const entry = PYTHON_ENTRIES.find(has);
      return entry && `python3 -u ${entry}`;
    },
  },
  { language: "go", files: ["go.mod"], command: () => "go run ." },
  {
    language: "ruby",
    files: ["Gemfile", "config.ru"],
    command: (has) => (has("config.ru") ? "bundle exec rackup -o 127.0.0.1 -p $PORT" : undefined),
  },
  {
    language: "php",
    files: ["composer.json", "artisan", "index.php"],
    command: (has) => `php -S 127.0.0.1:$PORT${has("public") ? " -t public" : ""}`,
  },
];

/** JavaScript without a package.json is a Node project that has not got one yet. */
const SCRIPT = /\.[cm]?[jt]sx?$/;

/** What a folder's app is written in; `undefined` for Node, and where there is no app yet. */
export function detectOtherLanguage(folder: string): OtherLanguage | undefined {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  if (names.includes("package.json")) return undefined;
  const signs = SIGNS.find(({ files }) => files.some((file) => names.includes(file)));
  if (signs !== undefined) return signs.language;
  const isNode = names.some((name) => SCRIPT.test(name)) || names.includes("tsconfig.json");
  return isNode ? undefined : "unknown";
}

/** The command that starts an app in another language; `undefined` where the files do not tell. */
export async function otherAppCommand(folder: string, language: OtherLanguage): Promise<string | undefined> {
  const has = (file: string): boolean => existsSync(join(folder, file));
  const signs = SIGNS.find((each) => each.language === language);
  return (await detectAppCommand(folder, { env: {} })) ?? signs?.command(has);
}

/** A language's name for people. */
export const LANGUAGE_TITLES: Readonly<Record<OtherLanguage, string>> = {
  python: "Python",
  go: "Go",
  ruby: "Ruby",
  php: "PHP",
  unknown: "no package.json",
};
