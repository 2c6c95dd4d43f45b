import { setTimeout as delay } from "node:timers/promises";
import type { Registry } from "../registry/registry.ts";
import type { Logger } from "../shared/logger.ts";
import type { AppProcess } from "./app-process.ts";

/** Files that are saved together, by a checkout or a formatter, restart the app once. */
const SETTLE_MS = 100;

/**
 * Restarts the app when the code of a channel is saved: `verify` and `onPublish` run there, and a rule that was
 * tightened must not stay open. Requests and authorize calls wait meanwhile; streams go on.
 */
export class RestartOnSave {
  readonly #stop: () => void;
  #settling: AbortController | undefined;

  constructor(registry: Registry, { app, logger }: { app: AppProcess; logger: Logger }) {
    this.#stop = registry.onSaved(({ name, file }) => {
      if (file.endsWith(".json")) return; // no code of the app
      this.#settling?.abort();
      this.#settling = new AbortController();
      const { signal } = this.#settling;
      delay(SETTLE_MS, undefined, { signal }).then(
        () => {
          logger({
            level: "info",
            event: "app-restart",
            message: `restarting the app, ${file} was saved`,
            fields: { channel: name },
          });
          app.restart();
        },
        () => {}, // another save came, or the end
      );
    });
  }

  close(): void {
    this.#stop();
    this.#settling?.abort();
  }
}
