import type { App, AppState } from "../app/app.ts";
import type { AppProcess } from "./app-process.ts";

/** The app that we started, as whoever runs the server sees it. */
export interface AppView {
  /** Where it listens now; another run of it may listen on another port. */
  readonly port: number;
  /** The id of its process group; absent while it does not run. */
  readonly pid: number | undefined;
  readonly state: AppState;
  /** Who has its port while it is `blocked`; `undefined` also where it cannot be told. */
  readonly portTaker: App["portTaker"];
  /** Calls `listener` on each change of state. @returns A function that ends this. */
  onState(listener: (state: AppState) => void): () => void;
  /** Ends it, if it runs, and starts it again at once, even if it had been given up. */
  restart(): void;
}

/** @returns `undefined` for an app that runs elsewhere: nothing is known of it. */
export function toAppView(process: AppProcess | undefined): AppView | undefined {
  if (process?.port === undefined) return undefined;
  const { app, port } = process;
  return {
    get port() {
      return port();
    },
    get pid() {
      return process.pid?.();
    },
    get state() {
      return app.state;
    },
    get portTaker() {
      return app.portTaker;
    },
    onState: (listener) => app.onState(listener),
    restart: () => process.restart(),
  };
}
