/** How a program is told its port on the command line. */
type PortForm =
  /** A flag for the port, mostly one for the host too: `--port 3000 --host 127.0.0.1`. */
  | {
      readonly port: string;
      readonly short?: string;
      readonly host?: string;
      readonly shortHost?: string;
      /** Also said, so that it does not take another port when its own is in use. */
      readonly strict?: string;
    }
  /** One flag for both: `--bind 127.0.0.1:3000`; `""`: it stands alone. */
  | { readonly address: string };

/** A dev server or web framework, as its command line shows it. */
export interface Framework {
  readonly name: string;
  /** The program's name. */
  readonly program: string;
  /** Its subcommands that serve; `""` stands for none. Absent: any. */
  readonly verbs?: readonly string[];
  /** Flags to find or say the port with. */
  readonly form: PortForm;
  /** It takes its port from `PORT`, so that no flag needs to say it. @default false */
  readonly readsPort?: boolean;
  /** Two of them cannot run in a folder: they lock it, or write the same files. @default false */
  readonly isSingle?: boolean;
}

const PORT_AND_HOST = { port: "--port", host: "--host" };
/** It listens on all interfaces where it is not told a host. */
const NEXT = { port: "--port", short: "-p", host: "--hostname", shortHost: "-H" };
const VITE = { ...PORT_AND_HOST, strict: "--strictPort" };

/** What is known of each; what is not in here is given `PORT` and left alone. */
const FRAMEWORKS: readonly Framework[] = [
  { name: "vite", program: "vite", verbs: ["", "dev", "serve", "preview"], form: VITE },
  { name: "react-router", program: "react-router", verbs: ["dev"], form: VITE },
  { name: "remix", program: "remix", verbs: ["vite:dev"], form: VITE },
  { name: "vitepress", program: "vitepress", verbs: ["dev", "preview"], form: VITE },
  { name: "astro", program: "astro", verbs: ["dev", "preview"], form: PORT_AND_HOST },
  { name: "angular", program: "ng", verbs: ["serve", "s", "dev"], form: PORT_AND_HOST },
  { name: "webpack", program: "webpack", verbs: ["serve", "server", "s"], form: PORT_AND_HOST },
  { name: "webpack", program: "webpack-dev-server", form: PORT_AND_HOST },
  { name: "rspack", program: "rspack", verbs: ["serve", "dev"], form: PORT_AND_HOST },
  { name: "rsbuild", program: "rsbuild", verbs: ["dev", "preview"], form: PORT_AND_HOST },
  { name: "docusaurus", program: "docusaurus", verbs: ["start", "serve"], form: PORT_AND_HOST },
  { name: "expo", program: "expo", verbs: ["start"], form: { port: "--port", short: "-p" } },
  { name: "wrangler", program: "wrangler", verbs: ["dev", "pages"], form: { port: "--port", host: "--ip" } },
  {
    name: "hugo",
    program: "hugo",
    verbs: ["server", "serve"],
    form: { port: "--port", short: "-p", host: "--bind" },
  },
  {
    name: "jekyll",
    program: "jekyll",
    verbs: ["serve", "server", "s"],
    form: { ...PORT_AND_HOST, short: "-P" },
  },
  { name: "flask", program: "flask", verbs: ["run"], form: { ...PORT_AND_HOST, short: "-p" } },
  { name: "fastapi", program: "fastapi", verbs: ["dev", "run"], form: PORT_AND_HOST },
  { name: "uvicorn", program: "uvicorn", form: PORT_AND_HOST },
  { name: "hypercorn", program: "hypercorn", form: { address: "--bind" } },
  { name: "mkdocs", program: "mkdocs", verbs: ["serve"], form: { address: "--dev-addr" } },
  { name: "django", program: "manage.py", verbs: ["runserver"], form: { address: "" } },
  { name: "laravel", program: "artisan", verbs: ["serve"], form: PORT_AND_HOST },

  { name: "next", program: "next", verbs: ["", "dev"], form: NEXT, readsPort: true, isSingle: true },
  { name: "next", program: "next", verbs: ["start"], form: NEXT, readsPort: true },
  {
    name: "nuxt",
    program: "nuxt",
    verbs: ["", "dev"],
    form: { port: "--port", short: "-p" },
    readsPort: true,
    isSingle: true,
  },
  {
    name: "nuxt",
    program: "nuxi",
    verbs: ["dev"],
    form: { port: "--port", short: "-p" },
    readsPort: true,
    isSingle: true,
  },
  {
    name: "rails",
    program: "rails",
    verbs: ["s", "server"],
    form: { port: "--port", short: "-p" },
    readsPort: true,
    isSingle: true,
  },
  { name: "php", program: "php", form: { address: "-S" }, readsPort: true },
];

/** Programs that run the program after them: `npx vite`, `pnpm exec vite`, `python3 -m flask`. */
const RUNNERS: readonly RegExp[] = [
  /^(?:dotenv|dotenvx|doppler|op) (?:run )?(?:-\S+ (?:[^-\s]\S* )?)*-- /,
  // Not with -c: the command line that follows it can be given nothing.
  /^(?:npx|pnpx) (?:-(?!c |-call)\S+ )*/,
  /^(?:bunx|dotenv|dotenvx|doppler|op) (?:run )?(?:-{1,2}\S+ )*/,
  /^node .*?(?=\S*node_modules\/\S)/,
  /^(?:pnpm|yarn|bun) (?:exec|dlx|x) (?:-- )?/,
  // Without a script of that name they run the program. A file, `bun vite.ts`, is none.
  /^(?:pnpm|yarn|bun) (?:--bun )?(?:run )?(?=[\w-]+(?: |$))/,
  /^(?:bundle exec|uv run|poetry run|pipenv run|rye run|node --import tsx) /,
  /^(?:\S*[\\/])?(?:python[\d.]*|py) (?:-m )?/,
  /^(?:\S*[\\/])?(?:php|ruby) (?=\S*(?:artisan|rails)\b)/,
];

/**
 * The framework that a command runs, and the arguments that it gets.
 *
 * @returns `undefined` if it is none that is known.
 */
export function findFramework(
  words: readonly string[],
): { readonly framework: Framework; readonly args: readonly string[] } | undefined {
  const [program = "", ...args] = withoutRunners(words);
  const name = program.replace(/^.*[\\/]/, "").replace(/\.(?:cmd|exe|ps1|[cm]?js)$/i, "");
  const framework = FRAMEWORKS.find(
    ({ program: known, verbs }) =>
      known === name && (verbs === undefined || verbs.includes(verbOf(args, verbs))),
  );
  return framework && { framework, args };
}

function withoutRunners(words: readonly string[]): string[] {
  // A word with a space in it is no program's name and no verb, so that it may fall apart.
  let line = words.join(" ");
  for (;;) {
    const runner = RUNNERS.find((each) => each.test(line));
    const rest = runner === undefined ? line : line.replace(runner, "");
    if (rest === line) return line.split(" ");
    line = rest;
  }
}

/** The first argument that is a verb; flags may come before it. `""` where the first is a flag, or there is none. */
function verbOf(args: readonly string[], verbs: readonly string[]): string {
  const found = args.find((arg) => verbs.includes(arg));
  if (found !== undefined) return found;
  return args[0] === undefined || args[0].startsWith("-") ? "" : args[0];
}
