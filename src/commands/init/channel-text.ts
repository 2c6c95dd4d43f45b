import { paramsSchemaSource } from "../channel/param-schema.ts";
import type { IntegrateOptions } from "./integrate.ts";
import { readTemplate } from "./template.ts";

/** The text of a first channel, with `room`: in TypeScript the one that `channel add` writes. */
export async function readChannelTexts(): Promise<IntegrateOptions["channel"]> {
  const [channel, project] = await Promise.all([readTemplate("channel"), readTemplate("project")]);
  const params = paramsSchemaSource([{ name: "room", type: "string", isRequired: true }]);
  const withParams = (text = ""): string => text.replace("  // {params}\n", () => params);
  return { ts: withParams(channel.get("ws.ts")), js: withParams(project.get("ws.js")) };
}
