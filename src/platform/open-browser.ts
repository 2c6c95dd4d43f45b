import { spawn } from "node:child_process";

/** Opens a URL in the user's browser. Where there is none, nothing happens. */
export function openBrowser(url: string, platform: NodeJS.Platform): void {
  const [command, ...args] = openerOf(platform);
  if (command === undefined) return;
  const opener = spawn(command, [...args, url], { stdio: "ignore", detached: true });
  opener.on("error", () => {}); // no opener: the banner has the URL
  opener.unref();
}

function openerOf(platform: NodeJS.Platform): string[] {
  if (platform === "darwin") return ["open"];
  if (platform === "win32") return ["rundll32", "url.dll,FileProtocolHandler"];
  return ["xdg-open"];
}
