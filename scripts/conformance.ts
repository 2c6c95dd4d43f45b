import { startVitest } from "vitest/node";

/**
 * Runs the protocol authors' own suite against this checkout, over plain HTTP, and prints how many of its cases pass:
 * `npm run conformance`. Fails unless all do.
 */
const vitest = await startVitest("test", ["test/conformance"], { watch: false, reporters: ["dot"] });
const tests = vitest.state.getTestModules().flatMap(({ children }) => [...children.allTests()]);
const others = tests.filter((test) => test.result().state !== "passed");
await vitest.close();
for (const test of others) console.log(`${test.result().state}: ${test.fullName}`);
console.log(`${tests.length - others.length} of ${tests.length}`);
process.exitCode = tests.length > 0 && others.length === 0 ? 0 : 1;
