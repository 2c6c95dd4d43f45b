import { cp, mkdir, mkdtemp, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

/** A copy of an example in a folder of its own, with its dependencies linked. */
export interface ExampleProject extends AsyncDisposable {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Copies an example as it is in the repository, and links this checkout in the place of the installed package. */
export async function copyExample(
  name: string,
  { packages, env }: { packages: readonly string[]; env: Readonly<Record<string, string>> },
): Promise<ExampleProject> {
  const base = await realpath(await mkdtemp(join(tmpdir(), "chanctl-example-")));
  const folder = join(base, name);
  const modules = join(folder, "node_modules");
  await cp(join(REPOSITORY, "examples", name), folder, {
    recursive: true,
    filter: (path) => !/[/\\](?:node_modules|\.chanctl)$/.test(path),
  });
  await mkdir(join(modules, "@durable-streams"), { recursive: true });
  await symlink(REPOSITORY, join(modules, "chanctl"), "junction");
  for (const each of packages)
    await symlink(join(REPOSITORY, "node_modules", each), join(modules, each), "junction");
  return {
    folder,
    env: { ...process.env, ...env, CHANCTL_HOME: join(base, "home"), NO_COLOR: "1" },
    [Symbol.asyncDispose]: () => rm(base, { recursive: true, force: true, maxRetries: 5 }),
  };
}
