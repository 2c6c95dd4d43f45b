import type { ChannelDefinition } from "../protocol/definition.ts";
import type { RegistryEntry, SavedChannel } from "./registry.ts";

/**
 * Whether the app may have to know of a saved channel: it runs `verify` and `onPublish`. It need not where all channels
 * are public and without `onPublish`, and the saved one was so before: then the app is never asked.
 *
 * @param entries all channels as they are now, broken ones too.
 */
export function needsApp(
  { before }: Pick<SavedChannel, "before">,
  entries: readonly Pick<RegistryEntry, "definition">[],
): boolean {
  return [before, ...entries.map(({ definition }) => definition)].some(mayAskApp);
}

/** What has never loaded may ask for anything. */
function mayAskApp(definition: ChannelDefinition | undefined): boolean {
  return definition === undefined || !definition.public || definition.onPublish;
}
