// Prints what a CI run came to, from Vitest's JSON report: each test that failed with the start of its message,
// then the one line of counts. Arguments: the report's path and the run's exit status.
import { readFileSync } from "node:fs";
import { relative } from "node:path";

const [reportPath, status] = process.argv.slice(2);
const report = JSON.parse(readFileSync(reportPath, "utf8"));
const messageLines = 12;

for (const file of report.testResults) {
  const place = relative(process.cwd(), file.name);
  if (file.status === "failed" && file.message) console.log(`FAILED ${place}\n${file.message}\n`);
  for (const test of file.assertionResults) {
    const message = test.failureMessages.join("\n").split("\n").slice(0, messageLines).join("\n");
    if (test.status === "failed") console.log(`FAILED ${place} > ${test.fullName}\n${message}\n`);
  }
}

// A status without a failed test is a failure too: the suite of conformance, the bench, or a file that did not load.
const failed = report.numFailedTests || (status === "0" ? 0 : 1);
console.log(`${report.numPassedTests} passed, ${failed} failed, ${report.numPendingTests} skipped`);
