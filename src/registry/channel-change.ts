import { isDeepStrictEqual } from "node:util";

import type { ChannelDefinition } from "../protocol/definition.ts";
import type { Channel } from "./channel.ts";

/** Which parts of a definition are not what they were. */
export interface DefinitionChanges {
  readonly transport: boolean;
  readonly params: boolean;
  /** Who is asked, and with what: `auth`, `public`, whether there is a `verify`. */
  readonly auth: boolean;
  readonly messages: boolean;
  readonly onPublish: boolean;
  readonly lifecycle: boolean;
}

/** What became of one channel. */
export type ChannelChange =
  | { readonly kind: "added"; readonly name: string; readonly after: Channel }
  | { readonly kind: "removed"; readonly name: string; readonly before: Channel }
  | {
      readonly kind: "changed";
      readonly name: string;
      readonly before: Channel;
      readonly after: Channel;
      readonly changed: DefinitionChanges;
    };

/** Compares two definitions of a channel. */
export function compareDefinitions(before: ChannelDefinition, after: ChannelDefinition): DefinitionChanges {
  const differs = (key: keyof ChannelDefinition): boolean => !isDeepStrictEqual(before[key], after[key]);
  return {
    transport: differs("transport"),
    params: differs("paramsSchema"),
    auth: differs("auth") || differs("public"),
    messages: differs("messages"),
    onPublish: differs("onPublish"),
    lifecycle: differs("lifecycle"),
  };
}
