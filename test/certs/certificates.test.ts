import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { createServer, get, type RequestOptions } from "node:https";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Certificates, loadCertificates } from "#src/certs/certificates.ts";
import { launchChromium, requireChromium } from "../support/chromium.ts";
import { requirePrograms } from "../support/requires.ts";
import { temporaryHome } from "./temporary-home.ts";

/** Answers "hello" over HTTPS on a free port of 127.0.0.1. */
async function serve({ certPem, keyPem }: Certificates): Promise<number> {
  const server = createServer({ cert: certPem, key: keyPem }, (_, response) => response.end("hello"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address.port;
}

function getText(options: RequestOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ host: "127.0.0.1", agent: false, ...options }, (response) => {
      response.setEncoding("utf8").on("data", resolve);
    });
    request.on("error", reject);
  });
}

describe("the certificates of a project", () => {
  it("are accepted by a Node client that is given the CA, and by no other", async () => {
    const { caPem: ca, ...certificates } = await loadCertificates({
      home: await temporaryHome(),
      projectName: "@acme/Shop",
    });
    const port = await serve({ caPem: ca, ...certificates });
    expect(await getText({ port, ca })).toBe("hello"); // the address is in the certificate too
    for (const servername of ["localhost", "shop.localhost", "api.shop.localhost"]) {
      expect(await getText({ port, ca, servername })).toBe("hello");
    }
    const otherName = getText({ port, ca, servername: "other.localhost" });
    await expect(otherName).rejects.toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" });
    const stranger = getText({ port, servername: "localhost" });
    await expect(stranger).rejects.toMatchObject({ code: "SELF_SIGNED_CERT_IN_CHAIN" });
  });

  it("are accepted by curl that is given the CA's file", async (context) => {
    requirePrograms(context, "curl");
    const certificates = await loadCertificates({ home: await temporaryHome(), projectName: "shop" });
    const port = await serve(certificates);
    for (const host of ["localhost", "shop.localhost", "api.shop.localhost"]) {
      const there = ["--noproxy", "*", "--resolve", `${host}:${port}:127.0.0.1`, `https://${host}:${port}/`];
      const { stdout } = await promisify(execFile)("curl", [
        "-sS",
        "--cacert",
        certificates.caPath,
        ...there,
      ]);
      expect(stdout).toBe("hello");
    }
  });

  it("are accepted by Chromium once its trust store has the CA, and not before", async (context) => {
    requireChromium(context);
    const certificates = await loadCertificates({ home: await temporaryHome(), projectName: "shop" });
    const port = await serve(certificates);
    const hosts = ["localhost", "127.0.0.1", "shop.localhost", "api.shop.localhost"];

    const trusting = await launchChromium({ caPath: certificates.caPath });
    onTestFinished(() => trusting.close());
    const page = await trusting.browser.newPage();
    for (const host of hosts) {
      await page.goto(`https://${host}:${port}/`);
      expect(await page.textContent("body")).toBe("hello");
    }

    const stranger = await launchChromium({});
    onTestFinished(() => stranger.close());
    const refused = (await stranger.browser.newPage()).goto(`https://localhost:${port}/`);
    await expect(refused).rejects.toThrow("ERR_CERT_AUTHORITY_INVALID");
  });

  it("are what a dev server can do without where they cannot be written", async () => {
    const home = await temporaryHome();
    await mkdir(join(home, ".."), { recursive: true });
    await writeFile(home, "a file, not a folder");
    const hint = expect.stringMatching(/export CHANCTL_HOME=<folder>[^]*\nchanctl dev --no-tls {4}/);
    await expect(loadCertificates({ home, projectName: "shop" })).rejects.toMatchObject({ hint });
  });

  it("share the user's one CA", async () => {
    const home = await temporaryHome();
    const shop = await loadCertificates({ home, projectName: "shop" });
    const blog = await loadCertificates({ home, projectName: "blog" });
    expect(shop.isNewAuthority).toBe(true);
    expect(blog).toMatchObject({ isNewAuthority: false, caPem: shop.caPem, caPath: join(home, "ca.pem") });
    expect(blog.hosts).toEqual(["localhost", "127.0.0.1", "::1", "blog.localhost", "*.blog.localhost"]);
    expect((await readdir(join(home, "leaves"))).sort()).toEqual(["blog.pem", "shop.pem"]);
  });

  it("stay in the config folder whatever the project is called", async () => {
    const home = await temporaryHome();
    await loadCertificates({ home, projectName: "../../../escaped" });
    expect(await readdir(join(home, "leaves"))).toEqual(["escaped.pem"]);
  });
});

/** A process that loads the certificates when it is written to, and prints what it got. */
function startLoader(home: string): ChildProcess {
  const code = `
    import { makeAuthority } from "#src/certs/make-authority.ts"; // loaded first, so that all start as one
    import { loadCertificates } from "#src/certs/certificates.ts";
    void makeAuthority;
    process.stdin.once("data", async () => {
      const certificates = await loadCertificates({ home: ${JSON.stringify(home)}, projectName: "shop" });
      process.stdout.write(JSON.stringify(certificates));
      process.exitCode = 0;
      process.stdin.destroy();
    });
    process.stdout.write("\\n");`;
  return spawn(process.execPath, ["--input-type=module", "--eval", code], {
    stdio: ["pipe", "pipe", "inherit"],
  });
}

describe("first starts", () => {
  it("at the same moment, by eight processes, make one CA that all of them use", async () => {
    const home = await temporaryHome();
    const loaders = Array.from({ length: 8 }, () => startLoader(home));
    const outputs = loaders.map(async (loader) => {
      let output = "";
      for await (const chunk of loader.stdout ?? []) output += String(chunk);
      return output;
    });
    await Promise.all(loaders.map((loader) => once(loader.stdout ?? loader, "data")));
    for (const loader of loaders) loader.stdin?.write("go\n");
    const loaded = (await Promise.all(outputs)).map((output) => JSON.parse(output) as Certificates);
    expect(new Set(loaded.map((certificates) => certificates.caPem)).size).toBe(1);
    expect(loaded.filter((certificates) => certificates.isNewAuthority)).toHaveLength(1);
    for (const certificates of loaded) {
      const port = await serve(certificates);
      expect(await getText({ port, ca: certificates.caPem, servername: "localhost" })).toBe("hello");
    }
    expect((await readdir(home)).sort()).toEqual(["ca-key.pem", "ca.pem", "leaves"]);
    expect(await readdir(join(home, "leaves"))).toEqual(["shop.pem"]);
  });

  it.each([1, 2, 3, 4, 5, 6, 7])(
    "that are killed at change %i of the folder leave nothing that the next start cannot use",
    async (change) => {
      const home = await temporaryHome();
      const loader = startLoader(home);
      await once(loader.stdout ?? loader, "data");
      const exited = once(loader, "exit");
      loader.stdin?.write("go\n");
      let seen = "";
      for (let changes = 0; changes < change && loader.exitCode === null; await setImmediate()) {
        const now = existsSync(home) ? readdirSync(home).join() : "";
        if (now !== seen) changes += 1;
        seen = now;
      }
      loader.kill("SIGKILL");
      await exited;
      const certificates = await loadCertificates({ home, projectName: "shop" });
      const again = await loadCertificates({ home, projectName: "shop" });
      expect(again).toEqual({ ...certificates, isNewAuthority: false });
    },
  );
});
