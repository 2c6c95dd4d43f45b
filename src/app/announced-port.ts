import { stripVTControlCharacters } from "node:util";

const LOCAL_URL = /https?:\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]):(\d{1,5})/;
/** As in Express's own "Hello world": `Example app listening on port 3000`. */
const LISTENING =
  /\b(?:listening|running|started|ready)\b[^:]{0,40}?(?:\bport[ :=]*|[ :]:|\blocalhost:)(\d{1,5})\b/i;

/**
 * The port of a local URL in a line that the app wrote, such as `➜ Local: http://localhost:5173/`, or of a sentence
 * like `listening on port 3000`: many apps do not look at `PORT`, and say so only in this way.
 */
export function announcedPort(line: string): number | undefined {
  const text = stripVTControlCharacters(line);
  const digits = (LOCAL_URL.exec(text) ?? LISTENING.exec(text))?.[1];
  return digits === undefined ? undefined : Number(digits);
}
