import type { AppState } from "../../app/app.ts";
import type { AppView } from "../../server/app-view.ts";
import type { AppOptions } from "../../server/options.ts";
import type { RunningServer } from "../../server/start-server.ts";
import type { LogEntry } from "../../shared/logger.ts";

/** What is true of the app now; `opening`: the server itself is not up yet. Times are by `performance.now()`, in ms. */
export type AppStatus =
  | { readonly kind: "opening"; readonly since: number }
  | { readonly kind: "none" }
  | { readonly kind: "elsewhere"; readonly url: string }
  | { readonly kind: "starting"; readonly since: number }
  /** Another program has its port; `pid` is that one's, where it can be told. */
  | { readonly kind: "blocked"; readonly port: number; readonly pid: number | undefined }
  | { readonly kind: "ready"; readonly port: number }
  | { readonly kind: "crashed"; readonly restartAt: number | undefined }
  | { readonly kind: "given-up" }
  | { readonly kind: "stopping" };

/** Follows the app of a server: its state, and from the log what is to come. */
export class AppWatch {
  readonly #onChange: () => void;
  readonly #stop: () => void;
  readonly #app: AppView | undefined;
  #status: AppStatus;

  constructor(
    { app }: Pick<RunningServer, "app">,
    { configured, onChange }: { readonly configured: AppOptions | undefined; readonly onChange: () => void },
  ) {
    this.#onChange = onChange;
    this.#app = app;
    if (app !== undefined) {
      this.#status = this.#toStatus(app.state);
      this.#stop = app.onState((state) => this.#set(this.#toStatus(state)));
      return;
    }
    this.#stop = () => {};
    this.#status =
      configured !== undefined && "url" in configured
        ? { kind: "elsewhere", url: configured.url }
        : { kind: "none" };
  }

  /** What is true now: an app may be replaced, or its port taken over by yet another program, in the same state. */
  get status(): AppStatus {
    const { kind } = this.#status;
    return kind === "ready" || kind === "blocked" ? this.#toStatus(kind) : this.#status;
  }

  /** Whether the status changes with time alone. */
  get isTicking(): boolean {
    return this.#status.kind === "starting" || this.#status.kind === "crashed";
  }

  /** Takes from the log what the state alone does not say: when the app is started again. */
  note({ event, fields }: LogEntry): void {
    if (this.#status.kind === "stopping") return;
    if (event === "app-replaced") this.#onChange();
    if (event === "app-given-up") this.#set({ kind: "given-up" });
    const afterMs = fields?.["restartAfterMs"];
    if (event === "app-exit" && this.#status.kind === "crashed" && typeof afterMs === "number")
      this.#set({ kind: "crashed", restartAt: performance.now() + afterMs });
  }

  /** The server ends, and the app with it; nothing comes after this. */
  end(): void {
    this.#set({ kind: "stopping" });
    this.#stop();
  }

  #toStatus(state: AppState): AppStatus {
    if (state === "ready") return { kind: "ready", port: this.#app?.port ?? 0 };
    if (state === "blocked")
      return { kind: "blocked", port: this.#app?.port ?? 0, pid: this.#app?.portTaker?.pid };
    if (state === "crashed") return { kind: "crashed", restartAt: undefined };
    return { kind: "starting", since: performance.now() };
  }

  #set(status: AppStatus): void {
    this.#status = status;
    this.#onChange();
  }
}
