import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { ChanctlError } from "#src/shared/errors.ts";
import { bareHttp } from "./bare-http.ts";
import { bareWebSocket } from "./bare-websocket.ts";
import { chanctl } from "./chanctl.ts";
import { chanctlProxy } from "./chanctl-proxy.ts";
import { durableStreamsFile, durableStreamsMemory } from "./durable-streams.ts";
import { nginx } from "./nginx.ts";
import { socketIo } from "./socket-io.ts";
import type { Target } from "./target.ts";

/** All targets. */
export const TARGETS: readonly Target[] = [
  chanctl,
  durableStreamsFile,
  durableStreamsMemory,
  socketIo,
  bareHttp,
  bareWebSocket,
  chanctlProxy,
  nginx,
];

/** @throws {ChanctlError} `usage` if there is no such target. */
export function findTarget(name: string): Target {
  const target = TARGETS.find((each) => each.name === name);
  if (target !== undefined) return target;
  throw new ChanctlError("usage", `there is no target \`${name}\``, {
    hint: `the targets are ${TARGETS.map((each) => each.name).join(", ")}`,
  });
}

/** Whether the package or the program that a target is made of is installed. */
export function isInstalled({ packageName, programName }: Target): boolean {
  if (programName !== undefined) return isProgram(programName);
  if (packageName === undefined) return true;
  try {
    import.meta.resolve(packageName);
    return true;
  } catch {
    return false;
  }
}

function isProgram(name: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, name)));
}
