import { didYouMean } from "../shared/did-you-mean.ts";
import { variableOf } from "./setting-source.ts";
import { CONFIG_KEYS } from "./settings.ts";

const PREFIX = "CHANCTL_";

/** Read elsewhere than among the settings, or given to the app by chanctl itself. */
const OTHERS = ["TOKEN", "HOME", "URL", "PUBLIC_URL"];

/**
 * What to tell of variables that mean nothing and are nearly one that does: `CHANCTL_PROT`. Others with the prefix may
 * be the app's own.
 */
export function mistypedVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = [...CONFIG_KEYS.map((key) => variableOf(key).slice(PREFIX.length)), ...OTHERS];
  return Object.keys(env).flatMap((name) => {
    const rest = name.slice(PREFIX.length);
    if (!name.startsWith(PREFIX) || known.includes(rest)) return [];
    const near = didYouMean(rest, known);
    return near === undefined ? [] : [`the variable ${name} means nothing: did you mean ${PREFIX}${near}?`];
  });
}
