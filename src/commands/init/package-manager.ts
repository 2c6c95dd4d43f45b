/** The program that installs a project's packages. */
export type PackageManager = "npm" | "pnpm" | "yarn" | "bun";

const MANAGERS: readonly PackageManager[] = ["npm", "pnpm", "yarn", "bun"];

const LOCKFILES: Readonly<Record<string, PackageManager>> = {
  "package-lock.json": "npm",
  "npm-shrinkwrap.json": "npm",
  "pnpm-lock.yaml": "pnpm",
  "yarn.lock": "yarn",
  "bun.lock": "bun",
  "bun.lockb": "bun",
};

/**
 * Which package manager a project uses: what its package.json names, else whose lockfile lies there, else who
 * started this command, else npm.
 */
export function detectPackageManager({
  declared,
  fileNames,
  userAgent,
}: {
  /** `packageManager` of package.json: `pnpm@9.1.0`. */
  readonly declared: string | undefined;
  readonly fileNames: readonly string[];
  /** `npm_config_user_agent`: `yarn/4.1.0 npm/? node/v20.19.0 linux x64`. */
  readonly userAgent: string | undefined;
}): PackageManager {
  const lockfile = fileNames.find((name) => Object.hasOwn(LOCKFILES, name));
  return (
    managerNamed(declared?.split("@")[0]) ??
    (lockfile === undefined ? undefined : LOCKFILES[lockfile]) ??
    managerNamed(userAgent?.split("/")[0]) ??
    "npm"
  );
}

/** The command that runs a script of package.json. */
export function runCommand(manager: PackageManager, script: string): string {
  return `${manager} run ${script}`;
}

/** Whether a file is a package manager's lockfile. */
export function isLockfile(name: string): boolean {
  return Object.hasOwn(LOCKFILES, name);
}

function managerNamed(name: string | undefined): PackageManager | undefined {
  return MANAGERS.find((manager) => manager === name);
}
