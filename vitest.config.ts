import { defineConfig } from "vitest/config";

// Tests run the compiled files: worker threads and child processes need them, and it is what ships.
// `#src/*.ts` (package.json "imports") gives the types from src/ and the code from dist/.
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    server: { deps: { inline: [/@durable-streams/] } },
  },
});
