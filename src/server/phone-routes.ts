import { X509Certificate } from "node:crypto";
import { ChanctlError } from "../shared/errors.ts";
import { headerOf, hostOf, sendAnswer, sendProblem } from "../transports/http.ts";
import type { Answer, HttpRequest, HttpResponse } from "../transports/http.ts";
import { makeMobileConfig } from "./mobile-config.ts";
import { phonePage, toPlatform } from "./phone-page.ts";

/** Whose CA phones are to trust. */
export interface PhoneOptions {
  readonly projectName: string;
  /** The CA, in PEM. */
  readonly caPem: string;
}

/**
 * What makes a phone trust the CA, under `/_chanctl/phone`: over plain HTTP too, for until then the phone takes no
 * HTTPS from here. Nothing of it is a secret. Whoever is between the phone and this machine can replace it: the page
 * and the terminal show the CA's fingerprint, to be compared (CWE-300).
 */
export class PhoneRoutes {
  readonly #projectName: string;
  readonly #ca: X509Certificate;

  constructor({ projectName, caPem }: PhoneOptions) {
    this.#projectName = projectName;
    this.#ca = new X509Certificate(caPem);
  }

  /**
   * Answers a request if there is something at its path.
   *
   * @param path below `/_chanctl`
   */
  request(path: string, request: HttpRequest, response: HttpResponse): boolean {
    const answer = this.#answerTo(path, request);
    if (answer === undefined) return false;
    if (request.method === "GET" || request.method === "HEAD") sendAnswer(response, answer);
    else {
      response.setHeader("allow", "GET, HEAD");
      const message = `the method must be GET or HEAD, got ${request.method}`;
      sendProblem(response, new ChanctlError("method_not_allowed", message));
    }
    return true;
  }

  #answerTo(path: string, request: HttpRequest): Answer | undefined {
    const ca = this.#ca;
    switch (path) {
      case "/phone":
      case "/phone/": // typed with a slash at its end it must not lead to HTTPS, which the phone does not trust yet
        return phonePage({
          ca,
          projectName: this.#projectName,
          host: hostOf(request) ?? "",
          platform: toPlatform(request.url ?? "", headerOf(request, "user-agent") ?? ""),
        });
      case "/phone/check":
        return { status: 204, headers: { "cache-control": "no-store" } };
      case "/phone/ca.mobileconfig":
        return download({ type: "application/x-apple-aspen-config", body: makeMobileConfig(ca) });
      case "/phone/ca.crt":
        return download({ type: "application/x-x509-ca-cert", name: "chanctl-ca.crt", body: ca.raw });
      case "/phone/ca.pem":
        return download({ type: "application/x-pem-file", name: "chanctl-ca.pem", body: ca.toString() });
      default:
        return undefined;
    }
  }
}

interface Download {
  readonly type: string;
  /** What it is saved as; absent: it is opened, as iOS does with a profile. */
  readonly name?: string;
  readonly body: string | Buffer;
}

function download({ type, name, body }: Download): Answer {
  const disposition = name === undefined ? {} : { "content-disposition": `attachment; filename="${name}"` };
  return {
    status: 200,
    headers: { "content-type": type, "cache-control": "no-store", ...disposition },
    body,
  };
}
