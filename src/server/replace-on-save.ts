import { needsApp } from "../registry/needs-app.ts";
import type { Registry } from "../registry/registry.ts";
import type { Logger } from "../shared/logger.ts";
import type { AppProcess } from "./app-process.ts";

/**
 * Replaces the app when the code of a channel is saved: `verify` and `onPublish` run there, and a rule that was
 * tightened must not stay open. An app that is down for a broken file is tried again when that is repaired or removed.
 * Frameworks that reload their own code are replaced too: what the SDK's `loadChannels`
 * has imported is not among the modules that they reload. Authorize calls wait meanwhile; pages and streams go on. An app
 * that is never asked, all channels being public, stays: its open pages keep their state.
 *
 * @returns A function that ends this.
 */
export function replaceOnSave(
  registry: Registry,
  { app, logger }: { readonly app: AppProcess; readonly logger: Logger },
): () => void {
  return registry.onFileChange((change) => {
    const { kind, name, file } = change;
    if (file.endsWith(".json")) return; // no code of the app
    if (!needsApp(change, { entries: registry.entries(), isUp: app.app.state === "ready" })) return;
    const message = `${file} was ${kind}, starting the app anew`;
    logger({ level: "info", event: "app-restart", message, fields: { channel: name } });
    app.replace();
  });
}
