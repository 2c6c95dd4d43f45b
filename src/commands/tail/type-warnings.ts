import { didYouMean } from "../../shared/did-you-mean.ts";
import type { CatalogEntry } from "../target/channel-catalog.ts";

/**
 * What to say of types that the channel does not have: with such a filter nothing would come, without a word. Messages of
 * a type that it had may still be there, so it is no error.
 */
export function typeWarnings(
  wanted: readonly string[],
  { name, types }: Pick<CatalogEntry, "name" | "types">,
): readonly string[] {
  if (types.length === 0) return [];
  return wanted
    .filter((type) => !types.includes(type))
    .map((type) => {
      const near = didYouMean(type, types);
      const advice = near === undefined ? `its types are ${types.join(", ")}` : `did you mean \`${near}\`?`;
      return `the channel \`${name}\` has no type \`${type}\`: ${advice}`;
    });
}
