import { domainToASCII } from "node:url";
import { misfitOf, toList } from "./setting-list.ts";
import type { Misfit } from "./setting-list.ts";

/** Labels of letters, digits, hyphens and underscores; a dot in front: the name and all below it. */
const NAME = /^\.?(?:[a-z\d_](?:[a-z\d_-]*[a-z\d_])?\.)*[a-z\d_](?:[a-z\d_-]*[a-z\d_])?$/;

/** Reads names of hosts, from a list or a text with commas, into the form that requests have. */
export function parseHostNames(value: unknown): readonly string[] | undefined {
  const given = toList(value);
  if (!Array.isArray(given)) return undefined;
  const names = given.map(parseHostName);
  return names.every((name) => name !== undefined) ? names : undefined;
}

/** Which of a list is no name, and the name that is meant with a wildcard, a URL or a port. */
export function findBadHostName(value: unknown): Misfit | undefined {
  const misfit = misfitOf(value, (item) => parseHostName(item) !== undefined);
  if (typeof misfit?.item !== "string") return misfit;
  const [, wildcard, name] =
    /^(?:[a-z]+:\/\/)?(\*?)([^/:]+)(?::\d*)?(?:\/.*)?$/i.exec(misfit.item.trim()) ?? [];
  const meant = parseHostName(name);
  if (meant === undefined) return misfit;
  const what =
    wildcard === "*" ? `\`${meant}\` stands for itself and all below it` : `the name alone: \`${meant}\``;
  return { ...misfit, hint: what };
}

function parseHostName(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const [, dot = "", rest = ""] = /^(\.?)(.*)$/s.exec(value.trim()) ?? [];
  const name = dot + domainToASCII(rest.replace(/\.$/, ""));
  return NAME.test(name) ? name : undefined;
}
