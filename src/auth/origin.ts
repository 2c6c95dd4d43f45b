/**
 * Whether a browser on `origin` may use the broker: its host and port are those of the request, or it is listed.
 *
 * A request without an Origin is not a browser's cross-site request and passes. The scheme is not compared with
 * the request's: behind a proxy that ends TLS the broker sees plain HTTP.
 *
 * Stops other sites from using a visitor's cookie (CWE-1385, CWE-352).
 */
export function isOriginAllowed(
  { origin, host }: { origin: string | undefined; host: string | undefined },
  allowedOrigins: readonly string[],
): boolean {
  if (origin === undefined) return true;
  if (allowedOrigins.includes(origin)) return true;
  if (!URL.canParse(origin) || host === undefined) return false;
  const { protocol, host: originHost } = new URL(origin);
  // `URL` drops a scheme's default port; the Host header of the same page lacks it, too.
  return URL.canParse(`${protocol}//${host}`) && new URL(`${protocol}//${host}`).host === originHost;
}
