import { defineConfig } from "chanctl/config";

export default defineConfig({
  app: { command: "node --import tsx server.ts" },
  channels: "./channels",
});
