import { createHash } from "node:crypto";
import type { X509Certificate } from "node:crypto";
import { commonNameOf } from "../certs/common-name.ts";
import { escapeHtml } from "./page.ts";

/**
 * A profile by which iOS, iPadOS and macOS install a CA. The same CA gives the same identifiers, so that it replaces
 * itself where it is there already.
 *
 * @see https://developer.apple.com/documentation/devicemanagement/certificateroot
 */
export function makeMobileConfig(ca: X509Certificate): string {
  const name = escapeHtml(commonNameOf(ca));
  const identifier = `chanctl.ca.${ca.fingerprint256.replaceAll(":", "").slice(0, 16).toLowerCase()}`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>PayloadContent</key>
  <array>
    <dict>
      <key>PayloadCertificateFileName</key><string>chanctl-ca.crt</string>
      <key>PayloadContent</key><data>${ca.raw.toString("base64")}</data>
      <key>PayloadDescription</key><string>Vouches for a developer's machine: for local names and private addresses only.</string>
      <key>PayloadDisplayName</key><string>${name}</string>
      <key>PayloadIdentifier</key><string>${identifier}.root</string>
      <key>PayloadType</key><string>com.apple.security.root</string>
      <key>PayloadUUID</key><string>${toUuid(`${identifier}.root`)}</string>
      <key>PayloadVersion</key><integer>1</integer>
    </dict>
  </array>
  <key>PayloadDescription</key><string>Lets this device open what chanctl serves on a developer's machine. After it is installed, switch it on in Settings, General, About, Certificate Trust Settings.</string>
  <key>PayloadDisplayName</key><string>${name}</string>
  <key>PayloadIdentifier</key><string>${identifier}</string>
  <key>PayloadRemovalDisallowed</key><false/>
  <key>PayloadType</key><string>Configuration</string>
  <key>PayloadUUID</key><string>${toUuid(identifier)}</string>
  <key>PayloadVersion</key><integer>1</integer>
</dict>
</plist>
`;
}

/** A UUID of its own for each text (RFC 9562, section 5.8). */
function toUuid(text: string): string {
  const hash = createHash("sha256").update(text).digest("hex");
  const parts = [hash.slice(0, 8), hash.slice(8, 12), `8${hash.slice(13, 16)}`, `8${hash.slice(17, 20)}`];
  return [...parts, hash.slice(20, 32)].join("-").toUpperCase();
}
