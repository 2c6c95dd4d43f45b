import { paramsSchemaSource } from "../channel/param-schema.ts";
import type { ParamDraft } from "../channel/param-schema.ts";
import type { Project } from "./project.ts";
import { readTemplate } from "./template.ts";

/** What a channel's file is to say. */
export interface ChannelTextOptions {
  readonly transport: string;
  readonly params: readonly ParamDraft[];
  readonly isPublic: boolean;
  readonly language: Project["language"];
}

/** All that is TypeScript's alone in the templates. */
const TYPED = "(_session: string | undefined): Promise<{ id: string } | undefined>";
const PARAMS_MARK = "  // {params}\n";

/** The text of a channel's file, as code. */
export async function readChannelText({
  transport,
  params,
  isPublic,
  language,
}: ChannelTextOptions): Promise<string> {
  const templates = await readTemplate("channel");
  const typed = templates.get(`${transport}${isPublic ? ".public" : ""}.ts`) ?? "";
  const text = language === "ts" ? typed : typed.replace(TYPED, "(_session)");
  return text.replace(PARAMS_MARK, () => paramsSchemaSource(params));
}

/** The text of a first channel, with `room`. */
export function readFirstChannelText(language: Project["language"]): Promise<string> {
  const params = [{ name: "room", type: "string", isRequired: true }] as const;
  return readChannelText({ transport: "ws", params, isPublic: false, language });
}
