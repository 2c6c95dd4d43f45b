import type { Played } from "./play.ts";
import type { Shown, Tour } from "./tour.ts";

/** The page that leads to the tours. */
export function toContentsPage(tours: readonly Tour[]): string {
  const links = tours.map(({ name, title }) => `- [${title}](${name}.md)`).join("\n");
  return `# Ten minutes with chanctl

What somebody sees who has never used it, in four kinds of projects: each line was typed into a terminal, each page opened
in Chromium, over HTTPS and with no flag that ignores certificates. \`npm run tour\` plays it again and makes these pages;
it fails where something does not come. Times, ports and paths in the text are made alike.

${links}

![chanctl dev in an Express app](${pictureName("express", "dev")})
`;
}

/** The page of one tour. */
export function toTourPage({ tour, shown }: Pick<Played, "tour" | "shown">): string {
  const steps = shown.map((step) => toMarkdown(step, tour.name));
  return [`# ${tour.title}\n`, ...steps].join("\n");
}

function toMarkdown(step: Shown, tourName: string): string {
  switch (step.kind) {
    case "says":
      return `${step.text}\n`;
    case "types":
      return `${introduction(step)}${fenced(step.shown, "console")}`;
    case "edits":
      return `\`${step.path}\`:\n\n${fenced(step.changed, step.isNew ? languageOf(step.path) : "diff")}`;
    case "picture":
      return `![${step.alt}](${pictureName(tourName, step.name)})\n`;
    default:
      return step satisfies never;
  }
}

/** The file of a picture, in docs/tour. */
export function pictureName(tourName: string, name: string): string {
  return `${tourName}-${name}.png`;
}

/** A command stands in what is shown, a key does not. */
function introduction({ keys, where, shown }: Extract<Shown, { kind: "types" }>): string {
  const isKey = keys !== "" && !shown.includes(keys);
  if (isKey) return `\`${keys === "C-c" ? "Ctrl-C" : keys}\`${where === "" ? "" : `, ${where}`}:\n\n`;
  return where === "" ? "" : `${where.charAt(0).toUpperCase()}${where.slice(1)}:\n\n`;
}

function fenced(text: string, language: string): string {
  return `\`\`\`\`${language}\n${text}\n\`\`\`\`\n`;
}

function languageOf(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1).replace("mjs", "js");
}
