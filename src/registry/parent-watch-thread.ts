/** Ends the process once its parent has: a definition that loops keeps the main thread from hearing of it. */
import { workerData } from "node:worker_threads";

const INTERVAL_MS = 500;

setInterval(() => {
  if (process.ppid !== workerData) process.kill(process.pid, "SIGKILL");
}, INTERVAL_MS);
