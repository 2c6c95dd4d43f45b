import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describeExample } from "./describe-example.ts";

describeExample({
  name: "go",
  programs: ["go"],
  prepare: async (folder) => {
    const go = (...args: readonly string[]) =>
      promisify(execFile)("go", args, { cwd: folder, env: { ...process.env, GOPROXY: "off" } });
    await go("vet", "./...");
    await go("build", "-o", ".bin/app", ".");
    await go("build", "-o", ".bin/client", "./client");
    return { app: [`${folder}/.bin/app`], client: [`${folder}/.bin/client`] };
  },
});
