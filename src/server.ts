// The entry `chanctl/server`: the broker, started from code.
export { startServer } from "./server/embed.ts";
export type { StartServerOptions } from "./server/embed.ts";
export type { RunningServer } from "./server/start-server.ts";
export type { OutputLine } from "./app/output-lines.ts";
export type { LogEntry, Logger } from "./shared/logger.ts";
