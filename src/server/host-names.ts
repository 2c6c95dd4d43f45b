import { domainToASCII } from "node:url";

/** Labels of letters, digits, hyphens and underscores; a dot in front: the name and all below it. */
const NAME = /^\.?(?:[a-z\d_](?:[a-z\d_-]*[a-z\d_])?\.)*[a-z\d_](?:[a-z\d_-]*[a-z\d_])?$/;

/** Reads names of hosts, from a list or a text with commas, into the form that requests have. */
export function parseHostNames(value: unknown): readonly string[] | undefined {
  const given: unknown = typeof value === "string" ? value.split(",") : value;
  if (!Array.isArray(given)) return undefined;
  const names = given.map(parseHostName);
  return names.every((name) => name !== undefined) ? names : undefined;
}

function parseHostName(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const [, dot = "", rest = ""] = /^(\.?)(.*)$/s.exec(value.trim()) ?? [];
  const name = dot + domainToASCII(rest.replace(/\.$/, ""));
  return NAME.test(name) ? name : undefined;
}
