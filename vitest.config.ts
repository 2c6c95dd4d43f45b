import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

// Tests run the compiled files: worker threads and child processes need them, and it is what ships.
// `#src/*.ts` (package.json "imports") gives the types from src/ and the code from dist/.
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Most tests wait for other processes: one worker more than there are cores keeps the cores busy.
    maxWorkers: availableParallelism() + 1,
    // A shared machine may stall for seconds in the middle of a test; one that needed a second try is named in the report.
    retry: process.env["CI"] === "true" ? 1 : 0,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    server: { deps: { inline: [/@durable-streams/] } },
  },
});
