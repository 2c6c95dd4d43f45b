import { defineConfig } from "chanctl/config";

export default defineConfig({
  app: { command: "node server.js" },
});
