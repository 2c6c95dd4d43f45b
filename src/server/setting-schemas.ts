/** A part of the JSON Schema of the config, with the default where it is always the same. */
export type SettingSchema = Readonly<Record<string, unknown>>;

/** Some character that is no space. */
export const TEXT_SCHEMA: SettingSchema = { type: "string", pattern: String.raw`\S` };

/** A TCP port, or 0 for any. */
export const PORT_SCHEMA: SettingSchema = { type: "integer", minimum: 0, maximum: 65_535 };

/** A whole number above 0. */
export const COUNT_SCHEMA: SettingSchema = {
  type: "integer",
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
};

/** `10s`, `1.5h`. */
export const DURATION_SCHEMA: SettingSchema = {
  type: "string",
  pattern: String.raw`^\d+(\.\d+)?(ms|s|m|h|d)$`,
};

/** `64KiB`, `1MB`. */
export const SIZE_SCHEMA: SettingSchema = {
  type: "string",
  pattern: String.raw`^\d+(\.\d+)?(B|kB|MB|GB|KiB|MiB|GiB)$`,
};

/** `https://app.example`, a slash at its end or not. */
export const ORIGIN_SCHEMA: SettingSchema = {
  type: "string",
  pattern: String.raw`^https?://[^\s/?#@\\]+/?$`,
};

/** `127.0.0.1`, `::1`, `mymac.local`; no name that ends in a number. */
export const ADDRESS_SCHEMA: SettingSchema = {
  type: "string",
  pattern: String.raw`^((\d{1,3}\.){3}\d{1,3}|[\da-fA-F.]*:[\da-fA-F:.]*(%\S+)?|([\w-]+\.)*(?!(\d+|0[xX][\da-fA-F]*)$)[\w-]+)$`,
};

/** `shop.test`, or `.shop.test`. */
export const HOST_NAME_SCHEMA: SettingSchema = {
  type: "string",
  pattern: String.raw`^\.?([A-Za-z\d_]([A-Za-z\d_-]*[A-Za-z\d_])?\.)*[A-Za-z\d_]([A-Za-z\d_-]*[A-Za-z\d_])?$`,
};
