import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

/** A project in a folder of its own, with chanctl installed as a link. */
export interface TempProject extends AsyncDisposable {
  readonly root: string;
  /** Writes files by their path in the project. */
  write(files: Readonly<Record<string, string>>): Promise<void>;
}

/** Makes a project with these files. */
export async function makeProject(files: Readonly<Record<string, string>> = {}): Promise<TempProject> {
  const root = await realpath(await mkdtemp(join(tmpdir(), "chanctl-cli-")));
  const write: TempProject["write"] = async (files) => {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    }
  };
  await write({ "package.json": '{"name":"shop","type":"module"}', ...files });
  await mkdir(join(root, "node_modules"));
  await symlink(REPOSITORY, join(root, "node_modules", "chanctl"), "dir");
  return { root, write, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
}
