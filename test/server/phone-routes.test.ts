import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeTestCertificates } from "../support/certificates.ts";
import type { TestCertificates } from "../support/certificates.ts";
import { requirePrograms } from "../support/requires.ts";
import { startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";

let certificates: TestCertificates;
let server: TestServer;

beforeAll(async () => {
  certificates = await makeTestCertificates();
  const phone = { projectName: "my <shop>", caPem: certificates.caPem };
  server = await startTestServer({ tls: certificates.tls, http2: true, allowedHosts: [], phone });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await certificates[Symbol.asyncDispose]();
});

interface Asked {
  readonly scheme?: "http" | "https";
  readonly method?: string;
  readonly host?: string;
  readonly userAgent?: string;
  readonly of?: TestServer;
}

async function ask(path: string, { scheme = "http", method = "GET", of = server, ...rest }: Asked = {}) {
  const { port } = new URL(of.url);
  const headers = { host: rest.host ?? `192.168.1.5:${port}`, "user-agent": rest.userAgent ?? "" };
  const options = { host: "127.0.0.1", port, path, method, headers, agent: false };
  const sent =
    scheme === "http"
      ? httpRequest(options)
      : httpsRequest({ ...options, ca: certificates.caPem, servername: "localhost" });
  const [response] = await once(sent.end(), "response");
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  return { status: response.statusCode, headers: response.headers, body, text: body.toString() };
}

describe.each(["http", "https"] as const)("over %s on the TLS port", (scheme) => {
  it("shows the page, for the host that it was asked by, and lets nothing else run in it", async () => {
    const { status, headers, text } = await ask("/_chanctl/phone", { scheme });
    expect(status).toBe(200);
    expect(headers["content-type"]).toBe("text/html; charset=utf-8");
    const { port } = new URL(server.url);
    expect(text).toContain(`href="https://192.168.1.5:${port}/"`);
    expect(text).toContain("Open my &lt;shop&gt; on this device");
    expect(headers["content-security-policy"]).toContain("default-src 'none'");
    expect(headers["content-security-policy"]).toContain(`connect-src 'self' https://192.168.1.5:${port};`);
  });

  it("shows the CA's fingerprint", async () => {
    const { fingerprint256 } = new X509Certificate(certificates.caPem);
    const { text } = await ask("/_chanctl/phone", { scheme });
    expect(text.replaceAll("\n", ":")).toContain(fingerprint256);
  });

  it("gives the CA as DER for Android and as PEM for others", async () => {
    const { raw } = new X509Certificate(certificates.caPem);
    const crt = await ask("/_chanctl/phone/ca.crt", { scheme });
    expect(crt.headers["content-type"]).toBe("application/x-x509-ca-cert");
    expect(crt.headers["content-disposition"]).toBe('attachment; filename="chanctl-ca.crt"');
    expect(crt.body.equals(raw)).toBe(true);
    const pem = await ask("/_chanctl/phone/ca.pem", { scheme });
    expect(new X509Certificate(pem.text).raw.equals(raw)).toBe(true);
  });

  it("answers the page's own question whether it is reached", async () => {
    expect(await ask("/_chanctl/phone/check", { scheme })).toMatchObject({ status: 204, text: "" });
  });

  it("is read only", async () => {
    const { status, headers } = await ask("/_chanctl/phone", { scheme, method: "POST" });
    expect([status, headers.allow]).toEqual([405, "GET, HEAD"]);
    expect((await ask("/_chanctl/phone", { scheme, method: "HEAD" })).text).toBe("");
  });
});

it.each([
  ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)", "ca.mobileconfig"],
  ["Mozilla/5.0 (Linux; Android 15; Pixel 9)", "ca.crt"],
  ["Mozilla/5.0 (X11; Linux x86_64)", "ca.pem"],
])("shows %s the steps for it, and `?for=` those of another", async (userAgent, file) => {
  expect((await ask("/_chanctl/phone", { userAgent })).text).toContain(`href="/_chanctl/phone/${file}"`);
  const asked = await ask("/_chanctl/phone?for=android", { userAgent });
  expect(asked.text).toContain('href="?for=android" aria-current="page"');
});

it("gives iOS a profile that is a property list with the CA in it, the same each time", async (context) => {
  requirePrograms(context, "python3");
  const { headers, text } = await ask("/_chanctl/phone/ca.mobileconfig");
  expect(headers["content-type"]).toBe("application/x-apple-aspen-config");
  expect(headers).not.toHaveProperty("content-disposition");
  const script =
    "import plistlib,sys,json; print(json.dumps(plistlib.loads(sys.stdin.buffer.read()), default=lambda b: b.hex()))";
  const python = execFile("python3", ["-c", script]);
  python.stdin?.end(text);
  let printed = "";
  for await (const chunk of python.stdout ?? []) printed += String(chunk);
  const profile = JSON.parse(printed);
  expect(profile).toMatchObject({ PayloadType: "Configuration", PayloadVersion: 1 });
  const { raw, subject } = new X509Certificate(certificates.caPem);
  expect(profile.PayloadContent).toMatchObject([
    { PayloadType: "com.apple.security.root", PayloadContent: raw.toString("hex"), PayloadVersion: 1 },
  ]);
  expect(subject).toContain(profile.PayloadDisplayName);
  const uuids = [profile.PayloadUUID, profile.PayloadContent[0].PayloadUUID];
  for (const uuid of uuids)
    expect(uuid).toMatch(/^[\dA-F]{8}-[\dA-F]{4}-8[\dA-F]{3}-8[\dA-F]{3}-[\dA-F]{12}$/);
  expect(new Set(uuids).size).toBe(2);
  expect((await ask("/_chanctl/phone/ca.mobileconfig")).text).toBe(text);
});

it("is the only thing that is served in the clear on the TLS port", async () => {
  for (const path of ["/", "/_chanctl/", "/_chanctl/phone/x", "/_chanctl/phonex", "/channels/chat"]) {
    const { status, headers } = await ask(path);
    expect([status, headers.location]).toEqual([
      307,
      `https://192.168.1.5:${new URL(server.url).port}${path}`,
    ]);
  }
});

it("is shown in the clear with a slash at its end, too", async () => {
  const { status, text } = await ask("/_chanctl/phone/");
  expect(status).toBe(200);
  expect(text).toContain("Open my &lt;shop&gt; on this device");
});

it("is refused to a name that leads here and is not ours", async () => {
  expect((await ask("/_chanctl/phone", { host: "evil.test" })).status).toBe(403);
});

it("is not there where only this machine comes in", async () => {
  await using alone = await startTestServer({ tls: certificates.tls, http2: true, allowedHosts: [] });
  for (const path of ["/_chanctl/phone", "/_chanctl/phone/ca.crt"]) {
    expect((await ask(path, { of: alone })).status).toBe(307);
    expect((await ask(path, { of: alone, scheme: "https" })).status).toBe(404);
  }
});
