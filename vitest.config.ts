import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

// Tests run the compiled files: worker threads and child processes need them, and it is what ships.
// `#src/*.ts` (package.json "imports") gives the types from src/ and the code from dist/.
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Most tests wait for other processes: one worker more than there are cores keeps the cores busy.
    maxWorkers: availableParallelism() + 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    server: { deps: { inline: [/@durable-streams/] } },
  },
});
