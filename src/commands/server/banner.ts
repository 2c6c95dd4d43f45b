import type { RegistryEntry } from "../../registry/registry.ts";
import type { AppOptions } from "../../server/options.ts";
import type { RunningServer } from "../../server/start-server.ts";
import { formatDuration } from "../../shared/duration.ts";
import type { Io } from "../io.ts";
import { palette } from "../palette.ts";

interface BannerOptions {
  readonly version: string;
  /** When the command began, by `performance.now()`. */
  readonly startedAt: number;
  readonly app: AppOptions | undefined;
  /** Another name that the server's certificate is for: `shop.localhost`. */
  readonly projectHost?: string | undefined;
  /** Which trust stores trust the CA, where there is one. */
  readonly trustText?: string | undefined;
}

/** What a person reads when the server is up: how long it took, where it is, what it serves. */
export function banner(server: RunningServer, options: BannerOptions, io: Io): string {
  const { bold, cyan, dim } = palette(io.color);
  const readyMs = performance.now() - options.startedAt;
  const rows = [
    ["public", urls(server, options.projectHost).map(cyan).join("  ")],
    ["internal", server.internalUrl],
    ["app", appText(options.app) ?? dim('none: the broker runs alone     --app "npm run start"')],
    [
      "channels",
      server.registry
        .entries()
        .map((entry) => channelText(entry, io))
        .join(", ") || noChannels(io),
    ],
    ...(options.trustText === undefined ? [] : [["CA", options.trustText]]),
  ];
  const lines = rows.map(([name = "", text = ""]) => `  ${dim(name.padEnd(9))} ${text}\n`);
  return `\n  ${bold("chanctl")} ${options.version}  ${dim(`ready in ${formatDuration(readyMs)}`)}\n\n${lines.join("")}\n`;
}

function appText(app: AppOptions | undefined): string | undefined {
  return app && ("command" in app ? app.command : app.url);
}

function urls({ url }: RunningServer, projectHost: string | undefined): string[] {
  if (projectHost === undefined) return [url];
  const named = new URL(url);
  named.hostname = projectHost;
  return [url, named.origin];
}

function channelText({ name, definition, error }: RegistryEntry, io: Io): string {
  const { dim, red } = palette(io.color);
  if (definition === undefined) return `${name} ${red("(broken)")}`;
  return `${name} ${dim(`(${definition.transport})`)}${error === undefined ? "" : red(" (broken, the last good one is live)")}`;
}

function noChannels(io: Io): string {
  return palette(io.color).dim("none     chanctl channel add chat --transport ws --param room:string");
}
