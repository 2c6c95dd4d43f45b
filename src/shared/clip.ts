const MAX_LENGTH = 64;

/** What somebody sent, short enough for an error. */
export function clip(text: string, maxLength: number = MAX_LENGTH): string {
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
}
