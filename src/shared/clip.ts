const MAX_LENGTH = 64;

/** What somebody sent, short enough for an error. */
export function clip(text: string): string {
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
}
