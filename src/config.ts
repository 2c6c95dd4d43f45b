export { defineConfig } from "./server/user-config.ts";
export type { UserApp, UserConfig, UserDurableStreams, UserJwt } from "./server/user-config.ts";
