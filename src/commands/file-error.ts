import { ChanctlError, errorCodeOf, messageOf } from "../shared/errors.ts";

const REASONS: Readonly<Record<string, readonly [reason: string, fix: string]>> = {
  EACCES: ["you may not do that there", "check who owns the folder, or work in another"],
  EDQUOT: ["your quota of disk space is used up", "make some room"],
  EEXIST: ["something else is in its place", "move that away"],
  EISDIR: ["a folder is in the place of a file", "move it away"],
  EMFILE: ["too many files are open", "ulimit -n 65536"],
  ENOENT: ["it is not there, or the folder that it should be in", "check the path"],
  ENOSPC: ["the disk is full", "make some room"],
  ENOTDIR: ["a file is in the place of a folder", "move it away"],
  EPERM: ["you may not do that there", "check who owns the folder, or work in another"],
  EROFS: ["the file system is read-only", "work in a folder that can be written"],
};

/**
 * What the system said about a file, as an error for a person: a full disk is no bug of ours.
 *
 * @returns `undefined` if that is not what was thrown.
 */
export function toFileError(thrown: unknown): ChanctlError | undefined {
  const [reason, hint] = reasonOf(thrown) ?? [];
  if (reason === undefined || hint === undefined) return undefined;
  const hasPath = typeof thrown === "object" && thrown !== null && "path" in thrown;
  const what = hasPath && typeof thrown.path === "string" ? thrown.path : "a file";
  return new ChanctlError("file_failed", `${what} cannot be used: ${reason}`, { cause: thrown, hint });
}

/** What the system said to a write to standard output, as an error for a person; who lasts goes on without it. */
export function toOutputError(thrown: unknown, { isLasting }: { readonly isLasting: boolean }): ChanctlError {
  const [reason = messageOf(thrown), hint = "write it elsewhere"] = reasonOf(thrown) ?? [];
  const then = isLasting ? "; going on without it" : "";
  const message = `cannot write to standard output: ${reason}${then}`;
  return new ChanctlError("file_failed", message, { cause: thrown, hint });
}

function reasonOf(thrown: unknown): readonly [reason: string, fix: string] | undefined {
  return REASONS[errorCodeOf(thrown) ?? ""];
}
