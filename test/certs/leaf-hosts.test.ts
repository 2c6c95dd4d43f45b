import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:tls";
import type { AddressInfo } from "node:net";
import { connect } from "node:tls";
import { expect, it, onTestFinished } from "vitest";
import { CertificateRenewal } from "#src/certs/certificate-renewal.ts";
import { loadCertificates } from "#src/certs/certificates.ts";
import type { Certificates } from "#src/certs/certificates.ts";
import { PATIENT } from "../support/patient.ts";
import { temporaryHome } from "./temporary-home.ts";

const LAN = ["192.168.1.5", "10.0.0.7", "fd12::5", "mymac.local", "shop.test", "*.shop.test"];
const OUTSIDE = ["203.0.113.5", "100.64.0.1", "2001:db8::1", "mymac", "shop.example", "test.example"];

it("makes a leaf for the further hosts that the CA may sign for, and leaves out the others", async () => {
  const home = await temporaryHome();
  const { hosts, certPem } = await loadCertificates({
    home,
    projectName: "shop",
    hosts: () => [...LAN, ...OUTSIDE],
  });
  expect(hosts.slice(-LAN.length)).toEqual(LAN);
  expect(hosts).not.toEqual(expect.arrayContaining(OUTSIDE.slice(0, 1)));
  const leaf = new X509Certificate(certPem);
  expect(leaf.checkIP("192.168.1.5")).toBeDefined();
  expect(leaf.checkHost("a.shop.test")).toBeDefined();
  const names = leaf.subjectAltName?.split(", ").map((name) => name.replace(/^(?:DNS|IP Address):/, ""));
  for (const host of OUTSIDE) expect(names).not.toContain(host);
});

it("gives a client by an address of the network nothing to complain about", async () => {
  const { certPem, keyPem, caPem } = await loadCertificates({
    home: await temporaryHome(),
    projectName: "shop",
    hosts: () => [...LAN, ...OUTSIDE],
  });
  const server = createServer({ cert: certPem, key: keyPem }, (socket) => socket.end());
  server.listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  for (const servername of ["localhost", "mymac.local", "a.shop.test"]) {
    const socket = connect({ port, host: "127.0.0.1", ca: caPem, servername });
    await once(socket, "secureConnect");
    expect(socket.authorized).toBe(true);
    socket.destroy();
  }
});

it("keeps a leaf that is for more hosts than are wanted", async () => {
  const options = { home: await temporaryHome(), projectName: "shop" };
  const wide = await loadCertificates({ ...options, hosts: () => LAN });
  expect((await loadCertificates(options)).certPem).toBe(wide.certPem);
});

it("gives a running server a leaf for the address that the machine has come to have, once", async () => {
  const renewed: Certificates[] = [];
  let hosts = ["192.168.1.5"];
  const whose = { home: await temporaryHome(), projectName: "shop", hosts: () => hosts };
  await using _ = new CertificateRenewal({
    ...whose,
    current: await loadCertificates(whose),
    onRenewed: (certificates) => void renewed.push(certificates),
    logger: () => {},
    checkIntervalMs: 2,
  });
  hosts = []; // the cable is out: nothing to do
  hosts = ["10.0.0.7"];
  await expect.poll(() => renewed.length, PATIENT).toBe(1);
  expect(new X509Certificate(renewed[0]?.certPem ?? "").checkIP("10.0.0.7")).toBeDefined();
  hosts = ["10.0.0.7", "172.16.0.1"];
  await expect.poll(() => renewed.length, PATIENT).toBe(2);
  hosts = ["172.16.0.1"]; // the leaf is for it already
  const last = renewed.length;
  hosts = ["192.168.9.9"];
  await expect.poll(() => renewed.length, PATIENT).toBe(last + 1);
});
