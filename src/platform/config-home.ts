import { posix, win32 } from "node:path";

/** What the machine says about its user. */
export interface ConfigHomeOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** The user's home folder, absolute. */
  readonly homedir: string;
}

/**
 * The user's config folder, absolute: where the CA and its leaves are kept.
 *
 * `CHANCTL_HOME` where it is not empty, else the platform's own place: `$XDG_CONFIG_HOME/chanctl` or
 * `~/.config/chanctl`, `~/Library/Application Support/chanctl`, `%APPDATA%\chanctl`.
 *
 * @see https://specifications.freedesktop.org/basedir-spec/latest/#variables a relative path in it is ignored
 */
export function resolveConfigHome({ env, platform, homedir }: ConfigHomeOptions): string {
  const path = platform === "win32" ? win32 : posix;
  if (env["CHANCTL_HOME"]) return path.resolve(env["CHANCTL_HOME"]);
  if (platform === "win32")
    return path.join(env["APPDATA"] || path.join(homedir, "AppData", "Roaming"), "chanctl");
  if (platform === "darwin") return path.join(homedir, "Library", "Application Support", "chanctl");
  const xdg = env["XDG_CONFIG_HOME"] ?? "";
  return path.join(path.isAbsolute(xdg) ? xdg : path.join(homedir, ".config"), "chanctl");
}
