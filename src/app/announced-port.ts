import { stripVTControlCharacters } from "node:util";

const LOCAL_URL = /https?:\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]):(\d{1,5})/;

/**
 * The port of a local URL in a line that the app wrote, such as `➜ Local: http://localhost:5173/`: many dev
 * servers do not look at `PORT`, and say so only in this way.
 */
export function announcedPort(line: string): number | undefined {
  const digits = LOCAL_URL.exec(stripVTControlCharacters(line))?.[1];
  return digits === undefined ? undefined : Number(digits);
}
