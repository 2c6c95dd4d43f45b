/** A table of GitHub's Markdown; cells are Markdown already. */
export function toTable(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const rule = head.map(() => "---");
  return [head, rule, ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Text as Markdown that shows it as it is; code between backticks stays code. */
export function toMarkdown(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith("`") ? part : escapeMarks(part)))
    .join("")
    .replaceAll("|", "\\|");
}

/** A `_` within a word is no mark. `<` becomes an entity: GitHub sees a tag behind a backslash too. */
function escapeMarks(text: string): string {
  return text.replaceAll(/[\\*[\]]|(?<!\w)_|_(?!\w)/g, (mark) => `\\${mark}`).replaceAll("<", "&lt;");
}

/** The anchor that GitHub gives to a heading. */
export function toAnchor(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}
