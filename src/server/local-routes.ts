import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { clip } from "../shared/clip.ts";
import { ChanctlError } from "../shared/errors.ts";
import { sendProblem } from "../transports/http.ts";
import type { HttpRequest, HttpResponse } from "../transports/http.ts";
import { meantPath } from "../transports/meant-path.ts";
import { endWithProblem } from "../transports/socket-answer.ts";
import { PhoneRoutes } from "./phone-routes.ts";
import type { PhoneOptions } from "./phone-routes.ts";

/** Everything under it on the public port is chanctl's own, in `dev` and `serve` alike, and never the app's. */
const LOCAL_PREFIX = "/_chanctl";

/** Everything under `/_chanctl/` of the public listener. */
export class LocalRoutes {
  readonly #phone: PhoneRoutes | undefined;

  /** @param options.phone what phones are to trust; `undefined`: they are not expected. */
  constructor({ phone }: { readonly phone: PhoneOptions | undefined }) {
    this.#phone = phone && new PhoneRoutes(phone);
  }

  /** Serves a request if it is for chanctl itself. Returns whether it was. */
  request(request: HttpRequest, response: HttpResponse): boolean {
    const path = parseLocalPath(request.url ?? "");
    if (path === undefined) return false;
    if (this.#phone?.request(path, request, response) !== true) sendProblem(response, nothingAt(path));
    return true;
  }

  /** Serves a request over plain HTTP on the TLS port if it need not be redirected. Returns whether it was. */
  plainRequest(request: HttpRequest, response: HttpResponse): boolean {
    const path = parseLocalPath(request.url ?? "");
    return path !== undefined && this.#phone?.request(path, request, response) === true;
  }

  /** Refuses an upgrade that is for chanctl itself. Returns whether it was. */
  upgrade(request: IncomingMessage, socket: Duplex): boolean {
    const path = parseLocalPath(request.url ?? "");
    if (path === undefined) return false;
    endWithProblem(socket, nothingAt(path));
    return true;
  }
}

/** The path below `/_chanctl`, which begins with a slash or is empty; `undefined` for any other path. */
function parseLocalPath(url: string): string | undefined {
  const [raw = ""] = url.split("?", 1);
  const path = raw.startsWith(`${LOCAL_PREFIX}/`) ? raw : meantPath(raw);
  if (path === LOCAL_PREFIX) return "";
  return path.startsWith(`${LOCAL_PREFIX}/`) ? path.slice(LOCAL_PREFIX.length) : undefined;
}

function nothingAt(path: string): ChanctlError {
  return new ChanctlError(
    "not_found",
    `chanctl has nothing at ${LOCAL_PREFIX}${clip(path)} on its public port`,
    {
      hint: "what the app and the operator ask is on the internal listener: `internalUrl` in .chanctl/run.json",
    },
  );
}
