import type { Check } from "./check.ts";
import { appAnswers } from "./checks/app-answers.ts";
import { authority } from "./checks/authority.ts";
import { clock } from "./checks/clock.ts";
import { config } from "./checks/config.ts";
import { definitions } from "./checks/definitions.ts";
import { extraCa } from "./checks/extra-ca.ts";
import { fileWatches } from "./checks/file-watches.ts";
import { gitIgnore } from "./checks/git-ignore.ts";
import { ipv6Loopback } from "./checks/ipv6-loopback.ts";
import { leaf } from "./checks/leaf.ts";
import { internalListener, publicListener } from "./checks/listeners.ts";
import { localhostNames } from "./checks/localhost-names.ts";
import { nodeVersion } from "./checks/node-version.ts";
import { openFiles } from "./checks/open-files.ts";
import { otherProjects } from "./checks/other-projects.ts";
import { port } from "./checks/port.ts";
import { proxyVariables } from "./checks/proxy-variables.ts";
import { runFile } from "./checks/run-file.ts";
import { sqlite } from "./checks/sqlite.ts";
import { storeIntegrity } from "./checks/store-integrity.ts";
import { storeLock } from "./checks/store-lock.ts";
import { storeSpace } from "./checks/store-space.ts";
import { token } from "./checks/token.ts";
import { trust } from "./checks/trust.ts";

/** All checks, in the order of the report. */
export const CHECKS: readonly Check[] = [
  nodeVersion,
  sqlite,
  localhostNames,
  ipv6Loopback,
  proxyVariables,
  fileWatches,
  openFiles,
  otherProjects,
  config,
  definitions,
  gitIgnore,
  token,
  storeIntegrity,
  storeSpace,
  storeLock,
  clock,
  authority,
  leaf,
  trust,
  extraCa,
  port,
  runFile,
  publicListener,
  internalListener,
  appAnswers,
];
