import { readFile } from "node:fs/promises";

import type { Check, Verdict } from "../check.ts";

const FEW_WATCHES = 8_192;
const FEW_INSTANCES = 128;

/** Whether Linux lets `dev`, the app and the editor watch as much as they need. */
export const fileWatches: Check = {
  name: "file watch",
  group: "machine",
  run: async () => {
    if (process.platform !== "linux") return undefined;
    const read = async (name: string): Promise<number> =>
      Number(await readFile(`/proc/sys/fs/inotify/${name}`, "latin1").catch(() => "NaN"));
    const [watches, instances] = await Promise.all([read("max_user_watches"), read("max_user_instances")]);
    return judgeWatches({ watches, instances });
  },
};

/** The limits are the user's, for all programs together. */
export function judgeWatches({
  watches,
  instances,
}: {
  readonly watches: number;
  readonly instances: number;
}): Verdict | undefined {
  if (Number.isNaN(watches) || Number.isNaN(instances)) return undefined;
  if (watches <= FEW_WATCHES) {
    return {
      status: "warn",
      message: `fs.inotify.max_user_watches is ${watches}: an editor and a bundler use that up, and saves go unseen`,
      fix: "sudo sysctl fs.inotify.max_user_watches=524288",
    };
  }
  if (instances < FEW_INSTANCES) {
    return {
      status: "warn",
      message: `fs.inotify.max_user_instances is ${instances}: few programs can watch at once`,
      fix: "sudo sysctl fs.inotify.max_user_instances=512",
    };
  }
  return {
    status: "ok",
    message: `enough: the system lets you watch ${watches.toLocaleString("en-US")} files and folders`,
  };
}
