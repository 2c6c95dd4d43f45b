import { ownFile } from "./desired-files.ts";
import type { DesiredFile } from "./desired-files.ts";
import type { Project } from "./project.ts";

/** The files that mount the SDK in Next, where a route is a file. */
export function nextFiles({ language, paths }: Project): DesiredFile[] {
  const appFolder = paths.has("src") && !paths.has("app") ? "src/app" : "app";
  const up = "../".repeat(appFolder.split("/").length + 2);
  return [
    ownFile(
      `channels/_channels.${language}`,
      `import { createChannels } from "chanctl";

import chat from "./chat";

// To publish, import the channel from this file, where it gets its name.
export const channels = createChannels({ chat });
export { chat };
`,
    ),
    ownFile(
      `${appFolder}/channels/[call]/route.${language}`,
      `import { channels } from "${up}channels/_channels";

// What chanctl asks the app: POST /channels/authorize and POST /channels/on-publish.
export const POST = channels.fetch;
`,
    ),
  ];
}
