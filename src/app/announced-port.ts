import { stripVTControlCharacters } from "node:util";

const LOCAL_URL = /https?:\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]):(\d{1,5})(?!\d)/g;
/** As in Express's own "Hello world": `Example app listening on port 3000`. */
const LISTENING =
  /\b(?:listening|running|started|ready)\b[^:]{0,40}?(?:\bport[ :=]*|[ :]:|\blocalhost:)(\d{1,5})\b/gi;
/** What programs write beside a URL of their own, and not beside a database's. */
const CLAIM =
  /\b(?:listening|running|serving|started|starting|ready|available|local|loopback|browser)\b|^\W*https?:\S+\s*$/i;

/** A port that a line of the app's output names. */
export interface AnnouncedPort {
  readonly port: number;
  /** The line says that something listens there, by its words or with nothing but the URL; else it may be anybody's. */
  readonly isClaimed: boolean;
}

/**
 * The ports of the local URLs in a line that the app wrote, such as `➜ Local: http://localhost:5173/`, and of sentences
 * like `listening on port 3000`: many apps do not look at `PORT`, and say so only in this way.
 */
export function announcedPorts(line: string): readonly AnnouncedPort[] {
  const text = stripVTControlCharacters(line);
  const isClaimed = CLAIM.test(text);
  return [
    ...[...text.matchAll(LISTENING)].map(([, digits]) => ({ port: Number(digits), isClaimed: true })),
    ...[...text.matchAll(LOCAL_URL)].map(([, digits]) => ({ port: Number(digits), isClaimed })),
  ].filter(({ port }) => port > 0 && port < 65_536);
}
