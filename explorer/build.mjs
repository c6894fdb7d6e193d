// Builds the page into src/spintherm/explorer/static: one script, one sheet, one page, licences.
// The script ends with a digest of everything that it was built from; a test compares it.

import { build } from "esbuild";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "src", "spintherm", "explorer", "static");

const sources = ["build.mjs", "package-lock.json", "package.json", "tsconfig.json"];
for (const name of readdirSync(join(here, "src")).sort()) sources.push(`src/${name}`);
const digest = createHash("sha256");
for (const name of sources) {
  digest.update(`${name}\0`);
  digest.update(readFileSync(join(here, name)));
  digest.update("\0");
}

const made = await build({
  entryPoints: [join(here, "src", "main.ts")],
  outfile: join(out, "explorer.js"),
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  metafile: true,
  footer: { js: `// licences: licences.txt; sources: ${digest.digest("hex")}` },
});
for (const name of ["index.html", "explorer.css", "icon.svg"])
  writeFileSync(join(out, name), readFileSync(join(here, "src", name)));

const packages = new Set();
for (const path of Object.keys(made.metafile.inputs)) {
  const found = path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//);
  if (found) packages.add(found[1]);
}
const licences = [...packages].sort().map((name) => {
  const folder = join(here, "node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = ["LICENSE", "LICENSE.md", "LICENSE.txt"].find((one) => existsSync(join(folder, one)));
  if (file === undefined) throw new Error(`${name} has no licence file`);
  return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
});
writeFileSync(join(out, "licences.txt"), licences.join(`\n${"-".repeat(72)}\n\n`));
console.log(`${[...packages].sort().join(", ")}`);
