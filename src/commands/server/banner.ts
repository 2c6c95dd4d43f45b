import type { RegistryEntry } from "../../registry/registry.ts";
import type { AppOptions } from "../../server/options.ts";
import type { RunningServer } from "../../server/start-server.ts";
import { formatDuration } from "../../shared/duration.ts";
import type { Io } from "../io.ts";
import { palette } from "../palette.ts";
import { escapeControls } from "../terminal-text.ts";
import { keysLine } from "./keys.ts";
import type { NetworkView } from "./network-view.ts";
import { formatRows } from "./rows.ts";
import type { Row } from "./rows.ts";

interface AddressOptions {
  readonly app: AppOptions | undefined;
  /** Another name that the server's certificate is for: `shop.localhost`. */
  readonly projectHost?: string | undefined;
  /** What is shown of the network where others come in, too. */
  readonly network?: NetworkView;
}

interface BannerOptions extends AddressOptions {
  readonly version: string;
  /** When the command began, by `performance.now()`. */
  readonly startedAt: number;
  /** Which trust stores trust the CA, where there is one. */
  readonly trustText?: string | undefined;
  /** Whether single keys are read. */
  readonly hasKeys: boolean;
  /** For `serve`. @default false */
  readonly isQuiet?: boolean;
}

/** What a person reads when the server is up: how long it took, where it is, what it serves. */
export function banner(server: RunningServer, options: BannerOptions, io: Io): string {
  const { bold, dim } = palette(io.color);
  const readyMs = performance.now() - options.startedAt;
  const rows: Row[] = [
    ...toAddressRows(server, options, io),
    { label: "channels", items: channelItems(server.registry.entries(), io) },
    ...(options.trustText === undefined ? [] : [trustRow(options.trustText)]),
  ];
  const command = options.isQuiet ? " serve" : "";
  const title = `${bold("chanctl")} ${options.version}${command}  ${dim(`ready in ${formatDuration(readyMs)}`)}`;
  const network = options.network;
  const keys = options.hasKeys
    ? `
  ${keysLine(palette(io.color))}
`
    : "";
  return `
  ${title}

${formatRows(rows, io)}${network?.urls(server.url) ?? ""}${network?.phone(server.url) ?? ""}${keys}
`;
}

/** Where the server and its app are: the banner's first rows. */
export function addressRows(server: RunningServer, options: AddressOptions, io: Io): string {
  const network = options.network?.urls(server.url) ?? "";
  return formatRows(toAddressRows(server, options, io), io) + network;
}

function publicUrls({ url }: RunningServer, projectHost: string | undefined): string[] {
  if (projectHost === undefined) return [url];
  const named = new URL(url);
  named.hostname = projectHost;
  return [url, named.origin];
}

function toAddressRows(server: RunningServer, { app, projectHost }: AddressOptions, io: Io): Row[] {
  const { cyan, dim } = palette(io.color);
  const { streamsPath } = server;
  return [
    { label: "public", items: publicUrls(server, projectHost).map((text) => ({ text, paint: cyan })) },
    { label: "internal", items: [{ text: server.internalUrl }] },
    {
      label: "app",
      items: app
        ? [{ text: escapeControls("command" in app ? app.command : app.url), mayShorten: true }]
        : [
            { text: "none: the broker runs alone", paint: dim },
            { text: '--app "npm run start"', paint: dim },
          ],
    },
    ...(streamsPath === undefined
      ? []
      : [
          {
            label: "streams",
            items: [
              { text: `${server.url}${streamsPath}/<name>` },
              { text: "chanctl stream read <name>", paint: dim },
            ],
          },
        ]),
  ];
}

function channelItems(entries: readonly RegistryEntry[], io: Io): Row["items"] {
  const { dim, red } = palette(io.color);
  if (entries.length === 0) {
    return [
      { text: "none", paint: dim },
      { text: "chanctl channel add chat --transport ws --param room:string", paint: dim, isCommand: true },
    ];
  }
  return entries.map(({ name, definition, error }, index) => {
    const kind =
      definition === undefined
        ? "broken"
        : error === undefined
          ? definition.transport
          : "broken, the last good one is live";
    const comma = index < entries.length - 1 ? "," : "";
    const paint = error === undefined ? dim : red;
    return { text: `${name} (${kind})${comma}`, paint: (text: string) => text.replace(/ \(.*\)/, paint) };
  });
}

/** The parts of a list may stand below each other; a command after a wide gap stays whole. */
function trustRow(text: string): Row {
  return { label: "CA", items: text.split(/(?<=[,;]) | {5,}/).map((part) => ({ text: part })) };
}
