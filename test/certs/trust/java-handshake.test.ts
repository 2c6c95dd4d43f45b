import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect, it, onTestFinished } from "vitest";

import { loadAuthority } from "#src/certs/authority.ts";
import { askJavaClient } from "#src/certs/trust/handshake.ts";
import { realMachine } from "#src/certs/trust/real-machine.ts";

import { findProgram, requirePrograms } from "../../support/requires.ts";

it("is accepted by a Java with the CA in its file, refused without, and says nothing where none came", async (context) => {
  requirePrograms(context, "keytool", "true");
  const home = await mkdtemp(join(tmpdir(), "chanctl-java-"));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const [ada, bob] = [join(home, "ada"), join(home, "bob")];
  const { pair } = await loadAuthority({ home: ada, now: Date.now() });
  await loadAuthority({ home: bob, now: Date.now() });
  const keytool = findProgram("keytool") ?? "";
  const machine = realMachine({ env: process.env, homedir: homedir(), isTerminal: false });
  const fileWith = async (authority: string): Promise<string> => {
    const cacerts = join(authority, "cacerts");
    // A Java's own file needs no password to be read, as this kind does not.
    const store = ["-keystore", cacerts, "-storetype", "JKS", "-storepass", "changeit"];
    const addition = ["-importcert", "-noprompt", "-alias", "it", "-file", join(authority, "ca.pem")];
    await promisify(execFile)(keytool, [...addition, ...store]);
    return cacerts;
  };
  const [trusting, other] = [await fileWith(ada), await fileWith(bob)];
  expect(await askJavaClient(pair, { cacerts: trusting, keytool, machine })).toEqual({ by: "java" });
  expect(await askJavaClient(pair, { cacerts: other, keytool, machine })).toEqual({
    by: "java",
    refusal: expect.stringContaining("SSLHandshakeException"),
  });
  const mute = { cacerts: trusting, keytool: findProgram("true") ?? "", machine };
  expect(await askJavaClient(pair, mute)).toBeUndefined();
}, 60_000);
