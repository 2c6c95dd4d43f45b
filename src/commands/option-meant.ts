/**
 * What is meant by an option that a command has not and that no distance of letters leads from to the right one:
 * another tool's, or another command's.
 *
 * @param command as it is typed: `chanctl dev`.
 */
export function optionMeant(command: string, args: readonly string[]): string | undefined {
  if (command !== "chanctl dev" && command !== "chanctl serve") return undefined;
  const port = valueOf("-p", args);
  if (port !== undefined) return `${command} --port ${port || "4433"}`;
  const url = command === "chanctl dev" ? valueOf("--app-url", args) : undefined;
  if (url === undefined) return undefined;
  return `chanctl serve --app-url ${url || "<url>"}     \`dev\` starts the app itself`;
}

/** The value that an option was given, as one word or two; `""` without one, `undefined` without the option. */
function valueOf(option: string, args: readonly string[]): string | undefined {
  const index = args.findIndex((arg) => arg === option || arg.startsWith(`${option}=`));
  const [arg = "", next = ""] = args.slice(index === -1 ? args.length : index);
  if (arg === "") return undefined;
  if (arg !== option) return arg.slice(option.length + 1);
  return next.startsWith("-") ? "" : next;
}
