import { describeShape } from "../shared/describe-shape.ts";

/**
 * The default export of an imported channel file.
 *
 * Both sides read it here: what the broker took and the app refused would end the app where `dev` shows no error.
 */
export function channelExportOf(imported: unknown): unknown {
  const value = property(imported, "default");
  const inner = property(value, "default");
  // CommonJS that was compiled from an ES module has its default export one level further down.
  return isDefinedChannel(inner) || property(value, "__esModule") === true ? inner : value;
}

/** Whether `defineChannel` made it, that of any copy of the package: a linked one, or one in a bundle. */
export function isDefinedChannel(value: unknown): value is object {
  return typeof property(value, "bindName") === "function";
}

/** Says of a default export that it is no channel, and what to write. */
export function noChannel(value: unknown, file: string): NoChannel {
  const notOne = file.replace(/(?=[^/\\]*$)/, "_");
  return {
    message: `the default export must be a channel that \`defineChannel\` has made, got ${describeShape(value)}`,
    hint: [
      "export default defineChannel({ … })     with import { defineChannel } from 'chanctl'",
      `mv ${file} ${notOne}     if it is no channel`,
    ].join("\n"),
  };
}

interface NoChannel {
  readonly message: string;
  readonly hint: string;
}

function property(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}
