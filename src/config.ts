export { defineConfig } from "./server/user-config.ts";
export type { UserApp, UserConfig } from "./server/user-config.ts";
