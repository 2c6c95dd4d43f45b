import type { Over, Row, Section } from "../../test/behaviours/rows.ts";
import type { Evidence } from "./evidence.ts";
import { toAnchor, toMarkdown, toTable } from "./markdown.ts";

const PLACES: readonly Over[] = ["SSE", "WebSocket", "HTTP"];

/** Each row and place where a test is missing: "starts: `no id` over SSE". */
export function findGaps(sections: readonly Section[], evidence: readonly Evidence[]): readonly string[] {
  return sections.flatMap((section) =>
    section.rows.flatMap((row) =>
      row.over
        .filter((over) => !isShown(evidence, row, over))
        .map((over) => `${section.file}: \`${row.name}\` over ${over}`),
    ),
  );
}

/** The text of `docs/behaviours.md`. */
export function toBehavioursPage(sections: readonly Section[], evidence: readonly Evidence[]): string {
  return `# Behaviours

Everything that a channel promises, and what the tests show of it. Each test drives the real server over real
sockets. \`npm run docs\` makes this page from [the rows](../test/behaviours/rows.ts) and the titles of the tests.

✓ a test shows it there · – it does not apply there · **gap** no test shows it

${toSummary(sections, evidence)}

${sections.map((section) => toChapter(section, evidence)).join("\n\n")}
`;
}

/** A line for each section, with how many of its rows are shown at each place. */
function toSummary(sections: readonly Section[], evidence: readonly Evidence[]): string {
  const lines = sections.map((section) => {
    const counts = PLACES.map((over) => {
      const rows = section.rows.filter((row) => row.over.includes(over));
      const shown = rows.filter((row) => isShown(evidence, row, over)).length;
      if (rows.length === 0) return "–";
      return shown === rows.length ? String(shown) : `**${shown} of ${rows.length}**`;
    });
    return [`[${section.title}](#${toAnchor(section.title)})`, String(section.rows.length), ...counts];
  });
  return toTable(["", "behaviours", ...PLACES], lines);
}

/** A section: a line for each claim, and one for a row that has none. */
function toChapter(section: Section, evidence: readonly Evidence[]): string {
  const places = PLACES.filter((over) => section.rows.some((row) => row.over.includes(over)));
  const lines = section.rows.flatMap((row) => toLines(row, { places, evidence }));
  return `## ${section.title}\n\n${toTable(["behaviour", "what the tests show", ...places], lines)}`;
}

function toLines(
  row: Row,
  { places, evidence }: { readonly places: readonly Over[]; readonly evidence: readonly Evidence[] },
): string[][] {
  const ofRow = evidence.filter((each) => each.row === row);
  const claims = [...new Set(ofRow.map(({ claim }) => claim))];
  const lines = claims.length === 0 ? [""] : claims;
  return lines.map((claim, index) => {
    const cells = places.map((over) => {
      if (!row.over.includes(over)) return "–";
      if (ofRow.some((each) => each.over === over && each.claim === claim)) return "✓";
      return index === 0 && !isShown(ofRow, row, over) ? "**gap**" : "";
    });
    return [index === 0 ? toMarkdown(row.name) : "", toMarkdown(claim), ...cells];
  });
}

function isShown(evidence: readonly Evidence[], row: Row, over: Over): boolean {
  return evidence.some((each) => each.row === row && each.over === over);
}
