import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { Terminal } from "../../test/support/terminal.ts";

/** What bash shows before each command: the folder, below the home folder as `~`. */
const PROMPT = String.raw`\w $ `;
/** Node's own headers, where the system has them: node-gyp downloads them otherwise. */
const HEADERS = "/usr/include/node/node.h";
const COLUMNS = 100;
const ROWS = 30;

/** Someone who has never seen chanctl: a home folder of their own, with nothing of it in it. */
export interface Person extends AsyncDisposable {
  readonly home: string;
  /** Opens a terminal in a folder below the home folder. */
  openTerminal(folder: string): Promise<Terminal>;
}

/** Makes a home folder, and for root a copy of the system's trust store: the machine's own stays as it is. */
export async function makePerson(): Promise<Person> {
  const root = await mkdtemp(join(tmpdir(), "tour-"));
  const home = join(root, "home");
  await mkdir(home);
  const shell = process.getuid?.() === 0 ? await privateShell(root) : undefined;
  return {
    home,
    openTerminal: (folder) =>
      Terminal.open({
        cwd: join(home, folder),
        env: personEnv(home),
        columns: COLUMNS,
        rows: ROWS,
        prompt: PROMPT,
        ...(shell === undefined ? {} : { shell }),
      }),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** npm's downloads, and where headers to compile with are, are the machine's: they are no part of what is shown. */
function personEnv(home: string): Record<string, string> {
  return {
    HOME: home,
    XDG_CONFIG_HOME: "",
    XDG_DATA_HOME: "",
    npm_config_cache: process.env["npm_config_cache"] ?? join(homedir(), ".npm"),
    npm_config_update_notifier: "false",
    npm_config_fund: "false",
    npm_config_audit: "false",
    ...(existsSync(HEADERS) ? { npm_package_config_node_gyp_nodedir: "/usr" } : {}),
    NEXT_TELEMETRY_DISABLED: "1",
    BROWSER: "true",
  };
}

/** A shell whose trust store is a copy, for Java too, which a trigger of dpkg writes. A mount namespace ends with its last process, and its mounts with it. */
async function privateShell(root: string): Promise<string[]> {
  const java = ["/var/lib/ca-certificates-java", "/var/lib/dpkg"];
  const stores = ["/etc/ssl", "/usr/local/share/ca-certificates", ...java.filter((path) => existsSync(path))];
  const mounts = await Promise.all(
    stores.map(async (store, index) => {
      const copy = join(root, `store-${index}`);
      await cp(store, copy, { recursive: true, verbatimSymlinks: true });
      return `mount --bind ${copy} ${store}`;
    }),
  );
  const line = [...mounts, "exec bash --norc --noprofile -i"].join(" && ");
  return ["unshare", "--mount", "--propagation", "private", "sh", "-c", line];
}
