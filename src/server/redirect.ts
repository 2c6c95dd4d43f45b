import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * Answers plain HTTP on the TLS port: the same URL, over HTTPS. 307 keeps the method and the body as 308 does, but no
 * browser keeps it (RFC 9110, sections 15.4.8 and 15.4.9): the next server on this port may have no TLS.
 */
export function redirectToHttps(request: IncomingMessage, response: ServerResponse): void {
  const { host } = request.headers;
  const url = `https://${host}${request.url}`;
  // A Host that is no host would make the redirect lead anywhere (CWE-601).
  if (
    host === undefined ||
    !URL.canParse(url) ||
    new URL(url).host !== host.toLowerCase().replace(/:443$/, "")
  ) {
    response.writeHead(400, { "content-length": 0 }).end();
    return;
  }
  response.writeHead(307, { location: url, "content-length": 0, "cache-control": "no-store" }).end();
}
