import type { X509Certificate } from "node:crypto";
import { commonNameOf } from "../certs/common-name.ts";
import { fingerprintRows } from "../certs/fingerprint-rows.ts";
import type { Answer } from "../transports/http.ts";
import { escapeHtml, pageAnswer } from "./page.ts";
import { PHONE_SCRIPT, PHONE_STYLE } from "./phone-page-parts.ts";

/** Whose steps the page shows. */
export type Platform = "ios" | "android" | "other";

interface PhonePageOptions {
  readonly ca: X509Certificate;
  readonly projectName: string;
  /** By which the page was asked for, with its port; it has been checked. */
  readonly host: string;
  readonly platform: Platform;
}

const PLATFORMS: readonly { readonly platform: Platform; readonly label: string }[] = [
  { platform: "ios", label: "iPhone, iPad" },
  { platform: "android", label: "Android" },
  { platform: "other", label: "Computer" },
];

/** The platform that `?for=` names, else the one of the browser. */
export function toPlatform(url: string, userAgent: string): Platform {
  const asked = new URL(url, "http://host").searchParams.get("for");
  const chosen = PLATFORMS.find(({ platform }) => platform === asked);
  if (chosen !== undefined) return chosen.platform;
  if (/iPhone|iPad|iPod/.test(userAgent)) return "ios";
  return userAgent.includes("Android") ? "android" : "other";
}

/** The page that a phone opens by the QR code: it installs the CA, sees when it is trusted, and goes on to the app. */
export function phonePage({ ca, projectName, host, platform }: PhonePageOptions): Answer {
  const app = `https://${escapeHtml(host)}/`;
  const name = escapeHtml(commonNameOf(ca));
  const project = escapeHtml(projectName);
  const tabs = PLATFORMS.map(
    ({ platform: each, label }) =>
      `<a href="?for=${each}"${each === platform ? ' aria-current="page"' : ""}>${label}</a>`,
  );
  return pageAnswer({
    title: `Open ${projectName} on this device`,
    css: PHONE_STYLE,
    script: PHONE_SCRIPT,
    connect: `https://${host}`,
    main: `<p class="brand">chanctl</p>
<h1>Open ${project} on this device</h1>
<p class="quiet">It is served from a developer's machine, over HTTPS of that machine's own. Once this device trusts its
certificate authority, pages load without a warning.</p>
<p id="status" role="status" data-state="asking"><span></span></p>
<section id="steps">
<nav aria-label="Kind of device">${tabs.join("")}</nav>
${stepsOf(platform, name)}
</section>
<p><a id="open" class="button" href="${app}">Open ${project}</a></p>
<details>
<summary>Is this the right certificate authority?</summary>
<p class="quiet">These must be the numbers beside the QR code in the terminal. If they are not, somebody stands between
this device and that machine: install nothing.</p>
<pre>${fingerprintRows(ca).join("\n")}</pre>
<p class="quiet"><b>${name}</b> can only vouch for <code>localhost</code>, names under <code>.localhost</code>,
<code>.test</code> and <code>.local</code>, and private addresses: never for a site on the internet.</p>
</details>
<details>
<summary>How to remove it later</summary>
<p class="quiet">${REMOVALS[platform]}</p>
</details>`,
  });
}

const REMOVALS: Readonly<Record<Platform, string>> = {
  ios: "Settings → General → VPN &amp; Device Management → the profile → Remove Profile.",
  android: "Settings → search for “User credentials” → the certificate → Remove.",
  other: "Delete it in the list where it was added; its name is above.",
};

function stepsOf(platform: Platform, name: string): string {
  if (platform === "ios") {
    return `<ol>
<li><b>Download the profile</b>, in Safari, and allow it.
  <a class="button" href="/_chanctl/phone/ca.mobileconfig">Download profile</a></li>
<li><b>Install it.</b> Settings → <i>Profile Downloaded</i>, at the top → <i>Install</i>.</li>
<li><b>Switch on trust.</b> Settings → General → About → <i>Certificate Trust Settings</i> →
  <code>${name}</code>.</li>
<li><b>Come back here.</b> The app opens by itself.</li>
</ol>`;
  }
  if (platform === "android") {
    return `<ol>
<li><b>Download the certificate</b>, and keep it if you are asked.
  <a class="button" href="/_chanctl/phone/ca.crt">Download certificate</a></li>
<li><b>Install it.</b> Settings → search for <i>CA certificate</i> → <i>Install anyway</i> → choose
  <code>chanctl-ca.crt</code> in Downloads. Often it is under Security → More security settings → Encryption &amp;
  credentials → Install a certificate.</li>
<li><b>Come back here.</b> The app opens by itself.</li>
</ol>
<p class="quiet">Firefox has a list of its own: Settings → About Firefox → tap the logo five times; then in
Settings → Secret Settings switch on <i>Use third party CA certificates</i>.</p>`;
  }
  return `<ol>
<li><b>Download the certificate.</b>
  <a class="button" href="/_chanctl/phone/ca.pem">Download ca.pem</a>
  <a class="button plain" href="/_chanctl/phone/ca.crt">as .crt (DER)</a></li>
<li><b>Add it to the trusted authorities.</b>
  <dl>
  <dt>macOS</dt><dd><code>security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db chanctl-ca.pem</code></dd>
  <dt>Windows</dt><dd><code>certutil -user -addstore Root chanctl-ca.crt</code></dd>
  <dt>Firefox</dt><dd>Settings → Certificates → View Certificates → Authorities → Import</dd>
  <dt>Chromium</dt><dd>chrome://certificate-manager → Local certificates → Import</dd>
  </dl></li>
<li><b>Come back here.</b> The app opens by itself; some browsers must be started anew.</li>
</ol>`;
}
