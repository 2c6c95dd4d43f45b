import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Where the prompt of the shell is: a command has ended, or has been stopped. */
export const PROMPT = "ready>";

interface TerminalOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** @default 100 */
  readonly columns?: number;
  /** @default 40 */
  readonly rows?: number;
  /** What bash makes the prompt of. @default "ready> " */
  readonly prompt?: string;
  /** The shell's command. @default an interactive bash without anyone's settings */
  readonly shell?: readonly string[];
}

const SHELL = ["bash", "--norc", "--noprofile", "-i"];

/** A shell in a terminal of its own (tmux on a private socket): what a person would see and type. */
export class Terminal implements AsyncDisposable {
  readonly #folder: string;
  readonly #socket: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#socket = join(folder, "socket");
  }

  /** Opens a terminal with a shell in it. Needs tmux and bash: `requirePrograms` first. */
  static async open(options: TerminalOptions): Promise<Terminal> {
    const { cwd, env = {}, columns = 100, rows = 40, prompt = `${PROMPT} `, shell = SHELL } = options;
    const terminal = new Terminal(await mkdtemp(join(tmpdir(), "chanctl-tmux-")));
    const size = ["-x", String(columns), "-y", String(rows)];
    // tmux gives its first session the environment that it is started in.
    await run(
      "tmux",
      ["-S", terminal.#socket, "-u", "-f", "/dev/null", "new-session", "-d", ...size, "-c", cwd, ...shell],
      { env: { ...personEnv(), ...env, PS1: prompt } },
    );
    await terminal.until((text) => text !== "");
    return terminal;
  }

  /** Types a line and Enter. */
  async enter(line: string): Promise<void> {
    await this.#tmux("send-keys", "-l", line);
    await this.press("Enter");
  }

  /** Presses keys, by tmux's names: `h`, `Enter`, `C-c`, `Up`. */
  async press(...keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.#tmux("send-keys", key);
  }

  async resize(columns: number, rows = 40): Promise<void> {
    await this.#tmux("resize-window", "-x", String(columns), "-y", String(rows));
  }

  /** What is on the screen, without the empty lines at its end. */
  async screen(): Promise<string> {
    return (await this.#tmux("capture-pane", "-p")).trimEnd();
  }

  /** What has scrolled away and what is on the screen; lines that the terminal has wrapped are joined. */
  async history(): Promise<string> {
    return (await this.#tmux("capture-pane", "-p", "-J", "-S", "-")).trimEnd();
  }

  /** The screen with its colours, as escape sequences. */
  async colors(): Promise<string> {
    return (await this.#tmux("capture-pane", "-ep")).trimEnd();
  }

  /** The last line that is not empty: where a status line is. */
  async lastLine(): Promise<string> {
    return (await this.screen()).split("\n").at(-1) ?? "";
  }

  /** Waits until the screen is as wanted. A test that waits in vain times out; what was there then is in the error. */
  async until(isWanted: (screen: string) => boolean, { timeoutMs = 20_000 } = {}): Promise<string> {
    const giveUpAt = performance.now() + timeoutMs;
    for (;;) {
      const screen = await this.screen();
      if (isWanted(screen)) return screen;
      if (performance.now() > giveUpAt) throw new Error(`the terminal shows:\n${await this.history()}`);
      await delay(20);
    }
  }

  /** Waits for a text on the screen. */
  untilShows(text: string | RegExp): Promise<string> {
    return this.until((screen) => (typeof text === "string" ? screen.includes(text) : text.test(screen)));
  }

  /** Presses a key until it shows something: keys that a busy program reads in one piece are pasted for all it knows. */
  async pressUntil(key: string, text: string): Promise<string> {
    let pressedAt = Number.NEGATIVE_INFINITY;
    let pressed: Promise<void> = Promise.resolve();
    const screen = await this.until((shown) => {
      if (shown.includes(text)) return true;
      if (performance.now() - pressedAt < 1_000) return false;
      pressedAt = performance.now();
      pressed = this.press(key);
      return false;
    });
    await pressed;
    return screen;
  }

  /** Waits until the last line is as wanted. */
  untilLastLine(text: string | RegExp): Promise<string> {
    return this.until((screen) => {
      const last = screen.split("\n").at(-1) ?? "";
      return typeof text === "string" ? last.includes(text) : text.test(last);
    });
  }

  /** The process of the shell. */
  async shellPid(): Promise<number> {
    return Number(await this.#tmux("display-message", "-p", "#{pane_pid}"));
  }

  async #tmux(...args: readonly string[]): Promise<string> {
    return (await run("tmux", ["-S", this.#socket, ...args])).stdout;
  }

  /** Closes the terminal: whatever runs in it gets SIGHUP. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux("kill-server").catch(() => {}); // its last shell has ended
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** The environment of a person at a terminal: nothing of ours, nothing of CI, and not inside another tmux. */
function personEnv(): NodeJS.ProcessEnv {
  const isOurs =
    /^(CHANCTL_|NO_COLOR$|FORCE_COLOR$|CI$|NODE_OPTIONS$|VITEST|TMUX|PROMPT_COMMAND$|LC_|LANG$|npm_|NODE$|INIT_CWD$)/;
  const inherited = Object.entries(process.env).filter(([name]) => !isOurs.test(name));
  return { ...Object.fromEntries(inherited), LC_ALL: "C.UTF-8", TERM: "xterm-256color" };
}
