import type { ChannelDefinition } from "../protocol/definition.ts";
import type { FileChange, RegistryEntry } from "./registry.ts";

interface Surroundings {
  /** All channels as they are now, broken ones too. */
  readonly entries: readonly Pick<RegistryEntry, "definition">[];
  /** Whether the app listens. */
  readonly isUp: boolean;
}

/**
 * Whether the app is to be started anew for a change of a channel's file. It runs `verify` and `onPublish`, so it may
 * have to know of a saved one; it need not where all channels are public and without `onPublish`, and the saved one was
 * so before: then it is never asked. One that loads all files or none may have failed to come up for a broken one:
 * that is a reason to try again once the file is repaired or gone.
 */
export function needsApp(
  { kind, before, wasBroken }: Pick<FileChange, "kind" | "before" | "wasBroken">,
  { entries, isUp }: Surroundings,
): boolean {
  if (!isUp) return true;
  if (kind === "removed" && !wasBroken) return false;
  const now = entries.map(({ definition }) => definition);
  return (kind === "removed" ? now : [before, ...now]).some(mayAskApp);
}

/** What has never loaded may ask for anything. */
function mayAskApp(definition: ChannelDefinition | undefined): boolean {
  return definition === undefined || !definition.public || definition.onPublish;
}
