/**
 * The text of a channel file.
 *
 * @param definition its options, as JavaScript: `{ public: true }`.
 */
export function channelText(definition: string): string {
  return `import { defineChannel } from "chanctl";\nexport default defineChannel(${definition});\n`;
}
