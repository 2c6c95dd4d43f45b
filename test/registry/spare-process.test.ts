import { describe, expect, onTestFinished, test } from "vitest";

import { DefinitionProcess, SpareProcess } from "#src/registry/definition-process.ts";

import { createProject } from "./temp-project.ts";

function createSpare() {
  const { root } = createProject();
  const started: DefinitionProcess[] = [];
  const spare = new SpareProcess(() => {
    const next = new DefinitionProcess({ root, env: process.env });
    onTestFinished(() => next.end());
    started.push(next);
    return next;
  });
  return { spare, started };
}

describe("a spare process for definitions", () => {
  test("is one, however many signs a save gives, and serves one load", () => {
    const { spare, started } = createSpare();
    spare.prepare();
    spare.prepare();
    expect(started).toHaveLength(1);
    expect(spare.take()).toBe(started[0]);
    expect(spare.isReady).toBe(false);
    expect(spare.take()).toBe(started[1]);
  });

  test("is not given away after something has killed it", async () => {
    const { spare, started } = createSpare();
    spare.prepare();
    await started[0]?.end();
    expect(started[0]?.isAlive).toBe(false);
    expect(spare.take()).toBe(started[1]);
    expect(started[1]?.isAlive).toBe(true);
  });

  test("is gone once nothing is to be loaded", async () => {
    const { spare, started } = createSpare();
    spare.prepare();
    await spare.drop();
    expect(started[0]?.isAlive).toBe(false);
    expect(spare.isReady).toBe(false);
  });

  test("ends with the process that has started it", async () => {
    const { spare, started } = createSpare();
    spare.prepare();
    const { child } = started[0] ?? spare.take();
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.disconnect(); // as the kernel does for whoever is killed
    await exited;
    expect(spare.take()).toBe(started[1]);
  });
});
