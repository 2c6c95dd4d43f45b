import type { SettingSchema } from "./setting-schemas.ts";
import { ALL_SETTINGS } from "./settings.ts";

const GROUPS: Readonly<Record<string, SettingSchema>> = {
  app: {
    description: "The app that answers everything but the channels; absent: the broker runs alone.",
    not: { required: ["command", "url"] },
  },
  tls: {
    description: "The certificate that `serve` presents; `dev` makes its own.",
    required: ["cert", "key"],
  },
  durableStreams: { description: "How Durable Streams are served; `false` turns them off." },
  jwt: {
    description: "How the JWTs of clients are verified: by a secret, or by public keys.",
    oneOf: [{ required: ["secret"] }, { required: ["jwksUrl"] }],
  },
  limits: { description: 'Bounds on what clients can make grow; sizes also as `"64KiB"`, times as `"10s"`.' },
};

/**
 * The JSON Schema of `chanctl.config.json`, made from the table of settings. It takes what the types of
 * `defineConfig()` take; the texts that flags and variables may have besides are not in it.
 */
export function configSchema(): SettingSchema {
  const properties: Record<string, SettingSchema> = {
    $schema: { type: "string", description: "Where an editor finds this schema." },
  };
  const groups = new Map<string, Record<string, SettingSchema>>();
  for (const { key, description, schema } of ALL_SETTINGS) {
    const [first = key, second] = key.split(".");
    if (second === undefined) properties[key] = { description, ...schema };
    else groups.set(first, { ...groups.get(first), [second]: { description, ...schema } });
  }
  for (const [name, members] of groups) {
    const { description, ...rules } = GROUPS[name] ?? {};
    const object = { type: "object", properties: members, additionalProperties: false, ...rules };
    const isSwitch = name === "durableStreams";
    properties[name] = { description, ...(isSwitch ? { anyOf: [{ type: "boolean" }, object] } : object) };
  }
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "chanctl config",
    description: "Flags and `CHANCTL_*` variables come before it, defaults after it.",
    type: "object",
    properties,
    additionalProperties: false,
  };
}
