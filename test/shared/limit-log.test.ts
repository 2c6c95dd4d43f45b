import { expect, it } from "vitest";
import { createLimitLog } from "#src/shared/limit-log.ts";
import type { LogEntry } from "#src/shared/logger.ts";

it("tells of each limit at once, and again only after ten seconds", () => {
  const logged: LogEntry[] = [];
  let now = 0;
  const note = createLimitLog(
    (entry) => void logged.push(entry),
    () => now,
  );
  for (now = 0; now <= 10_000; now += 100) {
    note("maxUnsentBytes");
    if (now === 500) note("maxAuthorizeCalls");
  }
  expect(logged.map(({ fields }) => fields?.["limit"])).toEqual([
    "maxUnsentBytes",
    "maxAuthorizeCalls",
    "maxUnsentBytes",
  ]);
  expect(logged[0]).toMatchObject({ level: "warn", event: "limit-hit" });
  expect(logged[0]?.message).toContain("limits.maxUnsentBytes");
});
