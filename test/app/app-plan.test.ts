import { describe, expect, it } from "vitest";
import { exec } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { planApp as planAppIn } from "#src/app/app-plan.ts";
import type { AppPlan } from "#src/app/app-plan.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const run = promisify(exec);
const VITE = "--port 4000 --strictPort --host 127.0.0.1";
const ROOT = resolve("/shop");

/** Plans an app whose package.json has these scripts; those of other folders are by folder. */
function planApp(
  command: string,
  { scripts, ...others }: Readonly<Record<string, Record<string, string>>>,
): AppPlan {
  const byFolder = new Map(Object.entries(others).map(([folder, each]) => [resolve(ROOT, folder), each]));
  return planAppIn(command, {
    folder: ROOT,
    scriptsIn: (folder) => (folder === ROOT ? scripts : byFolder.get(folder)) ?? {},
  });
}

const HOST = "--port 4000 --host 127.0.0.1";

describe("a framework that ignores PORT is told its port in the command line", () => {
  it.each([
    ["vite", `vite ${VITE}`],
    ["vite dev --open", `vite dev --open ${VITE}`],
    ["npx vite", `npx vite ${VITE}`],
    ["npx --yes vite", `npx --yes vite ${VITE}`],
    ["pnpm exec vite", `pnpm exec vite ${VITE}`],
    ["npx -- vite", `npx -- vite ${VITE}`],
    ["npm exec vite", `npm exec vite -- ${VITE}`],
    ["npm x vite dev --open", `npm x vite dev --open -- ${VITE}`],
    ["npm exec --yes -- vite preview", `npm exec --yes -- vite preview ${VITE}`],
    ["npm exec vite -- --open", `npm exec vite -- --open ${VITE}`],
    ["npm exec -- vite --host 0.0.0.0", "npm exec -- vite --host 0.0.0.0 --port 4000 --strictPort"],
    ["npm -C web exec vite", `npm -C web exec vite -- ${VITE}`],
    ["npm exec next dev -H 0.0.0.0", "npm exec next dev -H 0.0.0.0 -- --hostname 127.0.0.1"],
    ["yarn exec vite", `yarn exec vite ${VITE}`],
    ["bun x vite", `bun x vite ${VITE}`],
    ["bunx --bun vite", `bunx --bun vite ${VITE}`],
    ["pnpm astro dev", `pnpm astro dev ${HOST}`],
    ["yarn vite", `yarn vite ${VITE}`],
    ["bun --bun run vite", `bun --bun run vite ${VITE}`],
    ["dotenv -- vite", `dotenv -- vite ${VITE}`],
    ["dotenv vite -- --open", `dotenv vite -- --open ${VITE}`],
    ["dotenv -e .env -- vite", `dotenv -e .env -- vite ${VITE}`],
    ["npx dotenv -e .env -e .env.local -- vite", `npx dotenv -e .env -e .env.local -- vite ${VITE}`],
    ["op run --env-file .env -- vite", `op run --env-file .env -- vite ${VITE}`],
    ["pnpm -C web exec vite", `pnpm -C web exec vite ${VITE}`],
    ["node_modules/.bin/vite", `node_modules/.bin/vite ${VITE}`],
    [
      "node --import tsx node_modules/vite/bin/vite.js",
      `node --import tsx node_modules/vite/bin/vite.js ${VITE}`,
    ],
    ["NODE_ENV=development vite", `NODE_ENV=development vite ${VITE}`],
    ["cross-env A=1 B='2 3' vite preview", `cross-env A=1 B='2 3' vite preview ${VITE}`],
    ["tsc && vite", `tsc && vite ${VITE}`],
    ["vite --host 0.0.0.0", "vite --host 0.0.0.0 --port 4000 --strictPort"],
    ["PORT=3000 vite", `PORT=3000 vite ${VITE}`],
    ["react-router dev", `react-router dev ${VITE}`],
    ["remix vite:dev", `remix vite:dev ${VITE}`],
    ["vitepress dev docs", `vitepress dev docs ${VITE}`],
    ["astro dev", `astro dev ${HOST}`],
    ["ng serve", `ng serve ${HOST}`],
    ["webpack serve --mode development", `webpack serve --mode development ${HOST}`],
    ["webpack-dev-server", `webpack-dev-server ${HOST}`],
    ["rsbuild dev", `rsbuild dev ${HOST}`],
    ["docusaurus start", `docusaurus start ${HOST}`],
    ["next dev --turbo", "next dev --turbo --hostname 127.0.0.1"],
    ["next dev -H 0.0.0.0", "next dev -H 0.0.0.0"],
    ["next start", "next start --hostname 127.0.0.1"],
    ["expo start", "expo start --port 4000"],
    ["wrangler dev", "wrangler dev --port 4000 --ip 127.0.0.1"],
    ["hugo server", "hugo server --port 4000 --bind 127.0.0.1"],
    ["bundle exec jekyll serve", `bundle exec jekyll serve ${HOST}`],
    ["flask --app shop run", `flask --app shop run ${HOST}`],
    ["python3 -m flask run", `python3 -m flask run ${HOST}`],
    ["uvicorn main:app --reload", `uvicorn main:app --reload ${HOST}`],
    ["uv run fastapi dev", `uv run fastapi dev ${HOST}`],
    ["hypercorn main:app", "hypercorn main:app --bind 127.0.0.1:4000"],
    ["mkdocs serve", "mkdocs serve --dev-addr 127.0.0.1:4000"],
    [".venv/bin/python manage.py runserver", ".venv/bin/python manage.py runserver 127.0.0.1:4000"],
    ["php artisan serve", `php artisan serve ${HOST}`],
  ])("%s", (command, expected) => {
    const plan = planApp(command, { scripts: {} });
    expect(plan.commandFor(4000)).toBe(expected);
    expect(plan.port).toBeUndefined();
  });
});

describe("the flags go through the script that runs it", () => {
  const scripts = {
    dev: "vite",
    start: "astro dev",
    nested: "npm run dev",
    astro: "astro",
    exec: "npm exec vite",
    execs: "npm exec -- vite",
    loop: "npm run loop",
    api: "node api.js",
  };
  it.each([
    ["npm run dev", `npm run dev -- ${VITE}`],
    ["npm run astro dev", `npm run astro dev -- ${HOST}`],
    ["npm run exec", `npm run exec -- -- ${VITE}`],
    ["npm run execs", `npm run execs -- ${VITE}`],
    ["npm run dev -- --open", `npm run dev -- --open ${VITE}`],
    ["npm start", `npm start -- ${HOST}`],
    ["npm run nested", `npm run nested -- -- ${VITE}`],
    ["pnpm run nested", `pnpm run nested -- ${VITE}`],
    ["pnpm dev", `pnpm dev ${VITE}`],
    ["yarn run dev", `yarn run dev ${VITE}`],
    ["yarn dev", `yarn dev ${VITE}`],
    ["bun run dev", `bun run dev ${VITE}`],
    ["deno task dev", `deno task dev ${VITE}`],
    ["node --run dev", `node --run dev -- ${VITE}`],
    ["npm run loop", "npm run loop"],
    ["npm run api", "npm run api"],
    ["npm run missing", "npm run missing"],
  ])("%s", (command, expected) => {
    expect(planApp(command, { scripts }).commandFor(4000)).toBe(expected);
  });
});

describe("npm itself gives the flags to the program", () => {
  const scripts = { dev: "vite", exec: "npm exec vite" };
  it.each(["npm exec vite", "npm exec -- vite", "npm run dev", "npm run exec", "npx vite"])(
    "%s",
    async (command) => {
      const folder = temporaryFolder();
      const bin = join(folder, "node_modules", "vite");
      mkdirSync(bin, { recursive: true });
      mkdirSync(join(folder, "node_modules", ".bin"));
      const dependencies = { vite: "*" };
      writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "shop", scripts, dependencies }));
      writeFileSync(join(bin, "package.json"), '{"name":"vite","version":"1.0.0","bin":"vite.cjs"}');
      const code = "#!/usr/bin/env node\nconsole.log(`given ${process.argv.slice(2).join(' ')}`);\n";
      writeFileSync(join(bin, "vite.cjs"), code, { mode: 0o755 });
      symlinkSync(join("..", "vite", "vite.cjs"), join(folder, "node_modules", ".bin", "vite"));
      const { stdout } = await run(planApp(command, { scripts }).commandFor(4000), { cwd: folder });
      expect(stdout).toContain(`given ${VITE}\n`);
    },
  );
});

describe("the script is the one of the folder in which it is run", () => {
  const scripts = { dev: "next dev", web: "npm --prefix web run dev", "web:start": "cd web && npm start" };
  const web = { dev: "vite", start: "npm run dev", deep: "pnpm -C ../api dev" };
  const api = { dev: "uvicorn main:app" };
  it.each([
    ["npm --prefix web run dev", `npm --prefix web run dev -- ${VITE}`],
    ["npm --prefix=./web/ run dev", `npm --prefix=./web/ run dev -- ${VITE}`],
    ["npm -C web start", `npm -C web start -- -- ${VITE}`],
    ["npm run dev --prefix web", `npm run dev --prefix web -- ${VITE}`],
    ["npm run dev --prefix web -- --open", `npm run dev --prefix web -- --open ${VITE}`],
    ["npm run web", `npm run web -- -- ${VITE}`],
    ["npm run web:start", `npm run web:start -- -- -- ${VITE}`],
    ["pnpm -C web dev", `pnpm -C web dev ${VITE}`],
    ["pnpm --dir web run dev", `pnpm --dir web run dev ${VITE}`],
    ["pnpm run -C web dev", `pnpm run -C web dev ${VITE}`],
    ["pnpm -C web deep", `pnpm -C web deep ${HOST}`],
    ["yarn --cwd web dev", `yarn --cwd web dev ${VITE}`],
    ["bun --cwd=web run dev", `bun --cwd=web run dev ${VITE}`],
    ["cd web && npm run dev", `cd web && npm run dev -- ${VITE}`],
    ["cd api; cd ../web; pnpm dev", `cd api; cd ../web; pnpm dev ${VITE}`],
    [`npm --prefix ${ROOT}/web run dev`, `npm --prefix ${ROOT}/web run dev -- ${VITE}`],
    ["npm run dev -- --prefix web", "npm run dev -- --prefix web --hostname 127.0.0.1"],
    ["npm --prefix gone run dev", "npm --prefix gone run dev"],
    ["cd $FOLDER && npm run dev", "cd $FOLDER && npm run dev"],
    ["pnpm --filter web dev", "pnpm --filter web dev"],
  ])("%s", (command, expected) => {
    expect(planApp(command, { scripts, web, api }).commandFor(4000)).toBe(expected);
  });
});

describe("what reads PORT, or is not known, is left alone", () => {
  it.each([
    "nuxt dev",
    "bin/rails server",
    "node server.js",
    "node --import tsx server.ts",
    "go run .",
    "vite build --watch",
    "vite & node server.js",
    "vite | cat",
    "(cd web; vite)",
    'concurrently "vite" "node server.js"',
    "vite --port $PORT",
    "uvicorn main:app --port=${PORT:-8000}",
    'echo "vite"',
    'npm exec -c "vite"',
    'npm exec --call="vite"',
    'npx -c "vite"',
    'npx --yes --call="vite"',
    "dotenv -- npm exec vite",
    "bun vite.ts",
    "pnpm dev",
    "",
  ])("%s", (command) => {
    const plan = planApp(command, { scripts: {} });
    expect(plan.commandFor(4000)).toBe(command);
    expect(plan.port).toBeUndefined();
  });
});

describe("a port in the command line is the app's", () => {
  it.each([
    ["vite --port 3000", 3000],
    ["vite --port=3000 --host", 3000],
    ["npm run dev -- --port 3001", 3001],
    ["npm run fixed", 5000],
    ["npm run fixed -- --port 5001", 5001],
    ["next dev -p 3000 -H 127.0.0.1", 3000],
    ["next dev -p3000 -H 127.0.0.1", 3000],
    ["PORT=3000 next dev -H 127.0.0.1", 3000],
    ["cross-env PORT=3000 node server.js", 3000],
    ["node server.js --port 3000", 3000],
    ["rails s -p 3000", 3000],
    ["php -S localhost:8000 -t public", 8000],
    ["python manage.py runserver 8001", 8001],
    ["python manage.py runserver 0.0.0.0:8001", 8001],
    ["hypercorn --bind 127.0.0.1:8002 main:app", 8002],
  ])("%s", (command, port) => {
    const plan = planApp(command, { scripts: { dev: "vite", fixed: "astro dev --port 5000" } });
    expect(plan.port).toBe(port);
    expect(plan.commandFor(port)).toBe(command);
  });
});

it("knows which frameworks cannot run twice in a folder", () => {
  const scripts = { dev: "next dev" };
  const isSingle = (command: string): boolean => planApp(command, { scripts }).isSingle;
  expect(["npm run dev", "next", "nuxt dev", "rails s"].map(isSingle)).toEqual([true, true, true, true]);
  expect(["next start", "vite", "node server.js"].map(isSingle)).toEqual([false, false, false]);
});
