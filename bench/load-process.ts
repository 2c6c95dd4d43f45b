/** A process that makes load on a target. */
import { ClosedLoop } from "./load/closed-loop.ts";
import { OpenLoop } from "./load/open-loop.ts";
import { replay } from "./load/replay.ts";
import { Storm } from "./load/storm.ts";
import { Subscribers } from "./load/subscribers.ts";
import type { LoadCalls } from "./processes/calls.ts";
import { serveCalls } from "./processes/serve-calls.ts";

const closedLoop = new ClosedLoop();
const openLoop = new OpenLoop();
const storm = new Storm();
const subscribers = new Subscribers();

serveCalls<LoadCalls>({
  openClosedLoop: (job) => closedLoop.open(job).then(() => null),
  runClosedLoop: (window) => closedLoop.run(window),
  openOpenLoop: (job) => openLoop.open(job).then(() => null),
  runOpenLoop: (window) => openLoop.run(window),
  subscribe: (job) => subscribers.open(job).then(() => null),
  pause: () => subscribers.pause().then(() => null),
  resume: () => subscribers.resume().then(() => null),
  begin: (window) => subscribers.begin(window).then(() => null),
  finish: (expected) => subscribers.finish(expected),
  openStorm: (job) => storm.open(job).then(() => null),
  cutStorm: ({ sent }) => storm.cut(sent).then(() => null),
  runStorm: (given) => storm.run(given),
  finishStorm: ({ sent }) => storm.finish(sent),
  replay,
});
