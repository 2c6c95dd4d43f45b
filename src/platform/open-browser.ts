import { spawn } from "node:child_process";

/** Opens a URL in the user's browser. `onFailed` is called if there is none, or it does not open. */
export function openBrowser(
  url: string,
  { platform, onFailed }: { readonly platform: NodeJS.Platform; readonly onFailed: () => void },
): void {
  const [command = "", ...args] = openerOf(platform);
  const opener = spawn(command, [...args, url], { stdio: "ignore", detached: true });
  opener.on("error", onFailed); // no such program
  opener.on("exit", (code) => {
    if (code !== 0 && code !== null) onFailed();
  });
  opener.unref();
}

function openerOf(platform: NodeJS.Platform): string[] {
  if (platform === "darwin") return ["open"];
  if (platform === "win32") return ["rundll32", "url.dll,FileProtocolHandler"];
  return ["xdg-open"];
}

/** The line of `onFailed`: who has no browser here may have one elsewhere. */
export function noBrowserText(url: string): string {
  return `no browser opens on this machine; the app is at ${url}`;
}
