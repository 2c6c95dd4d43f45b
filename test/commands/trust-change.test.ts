import { describe, expect, it } from "vitest";

import type { StoredAuthority, TrustStore } from "#src/certs/trust/trust-store.ts";
import { installInto, type Permission, uninstallFrom } from "#src/commands/trust/change-store.ts";
import { ChanctlError } from "#src/shared/errors.ts";

const OWN: StoredAuthority = { name: "chanctl local CA 1a2b3c4d", sha1: "5A".repeat(20), isOwn: true };

interface StoreOptions {
  readonly isTrusted: boolean;
  /** What the tool does to the store and says. */
  readonly tool: (set: (isTrusted: boolean) => void) => void;
  /** The line that runs as root. */
  readonly line?: string;
}

function storeOf({ isTrusted, tool, line }: StoreOptions): TrustStore {
  let isThere = isTrusted;
  const change = async () => {
    tool((value) => (isThere = value));
    return { note: "restart it", command: "update it" };
  };
  return {
    kind: "system",
    name: "system",
    place: "/anchors",
    ...(line === undefined ? {} : { asRoot: { install: line, uninstall: async () => line } }),
    status: async () => (isThere ? { kind: "trusted", verifiedBy: "curl" } : { kind: "untrusted" }),
    install: change,
    uninstall: change,
    held: async () => (isThere ? [OWN] : []),
  };
}

const mayRunAsRoot = async (): Promise<Permission> => "yes";
const isTaken = (): boolean => true;
const ROW = { store: "system", kind: "system", place: "/anchors" };
const fails = (): never => {
  throw new ChanctlError("trust_failed", "could not change it", { hint: "try it by hand" });
};

describe("a store that is as was asked for", () => {
  it("has no reason and no fix, though its tool failed: another run was faster", async () => {
    const added = storeOf({ isTrusted: false, tool: (set) => (set(true), fails()) });
    expect(await installInto(added, { mayRunAsRoot })).toEqual({
      row: { ...ROW, state: "trusted", verifiedBy: "curl" },
      isOpen: false,
      permission: "yes",
    });
    const removed = storeOf({ isTrusted: true, tool: (set) => (set(false), fails()) });
    expect(await uninstallFrom(removed, { mayRunAsRoot, isTaken })).toEqual({
      row: { ...ROW, state: "untrusted", removed: [OWN.name] },
      isOpen: false,
      permission: "yes",
    });
  });
});

describe("a store that is not as was asked for", () => {
  it("says that its tool ended well, and what to run by hand", async () => {
    const [empty, full] = [false, true].map((isTrusted) => storeOf({ isTrusted, tool: () => {} }));
    const fix = "update it    shows all that it says";
    if (empty === undefined || full === undefined) throw new Error("there are two");
    expect(await installInto(empty, { mayRunAsRoot })).toMatchObject({
      row: { state: "untrusted", reason: "what adds it ended well, but the CA is not there", fix },
      isOpen: true,
    });
    expect(await uninstallFrom(full, { mayRunAsRoot, isTaken })).toMatchObject({
      row: { state: "trusted", reason: "what takes it out ended well, but the CA is still there", fix },
      isOpen: true,
    });
  });

  it.each<Permission>(["no", "unasked", "cancelled"])(
    "has the line as its fix after %j",
    async (permission) => {
      const store = storeOf({ isTrusted: false, tool: fails, line: "sudo update it" });
      expect(await installInto(store, { mayRunAsRoot: async () => permission })).toEqual({
        row: { ...ROW, state: "untrusted", fix: "sudo update it" },
        isOpen: true,
        permission,
      });
    },
  );
});
