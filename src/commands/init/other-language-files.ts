import { jsonDefinition } from "../channel/json-definition.ts";
import { gitignoreWith, ownFile } from "./desired-files.ts";
import type { DesiredFile } from "./desired-files.ts";
import type { Project } from "./project.ts";

/** What a project in another language needs: a config and a channel, both as JSON. No package.json. */
export function otherLanguageFiles(project: Project): DesiredFile[] {
  const command = project.other?.command;
  const config = {
    ...(command === undefined ? {} : { app: { command } }),
    channels: "./channels",
  };
  const params = [{ name: "room", type: "string", isRequired: true }];
  return [
    ownFile("chanctl.config.json", `${JSON.stringify(config, undefined, 2)}\n`),
    ownFile("channels/chat.json", jsonDefinition({ transport: "ws", params, isPublic: false })),
    gitignoreWith([".chanctl/"]),
  ];
}
