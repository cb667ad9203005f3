/** Builds the page into the package: index.html with its assets, replay.html as one file, and built.json, which says of what. */

import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { sources } from "./sources.mjs";

const web = dirname(dirname(fileURLToPath(import.meta.url)));
const out = join(web, "../src/musespark/server/page/built");

const settings = {
  root: web,
  base: "/",
  configFile: false,
  logLevel: "warn",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
};

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
await build({ ...settings, build: { outDir: out, emptyOutDir: false, target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false }, reportCompressedSize: false } });

const single = await build({ ...settings, build: { write: false, target: "es2022", cssCodeSplit: false, assetsInlineLimit: 1e6,
  rollupOptions: { input: join(web, "src/replay.tsx"), output: { format: "es", codeSplitting: false } } } });
const parts = (Array.isArray(single) ? single : [single]).flatMap((made) => made.output);
const script = parts.filter((part) => part.type === "chunk").map((part) => part.code).join("\n").replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");
const style = parts.filter((part) => part.fileName.endsWith(".css")).map((part) => part.source).join("\n").trim();
const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
const csp = `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; img-src data: blob:; base-uri 'none'; form-action 'none'`;
const file = readFileSync(join(web, "replay.html"), "utf8");
writeFileSync(join(out, "replay.html"), file.replace("{{csp}}", () => csp).replace("{{style}}", () => style).replace("{{script}}", () => script));

// What is built in asks that its licence travels with it.
const licences = ["preact", "@preact/signals", "@preact/signals-core", "marked", "temml"].map((name) => {
  const folder = join(web, "node_modules", name);
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return `${name} ${version}\n\n${readFileSync(join(folder, readdirSync(folder).find((file) => /^LICEN[CS]E/i.test(file))), "utf8").trim()}\n`;
});
writeFileSync(join(out, "licences.txt"), licences.join("\n\n"));

const made = readdirSync(out, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).slice(out.length + 1)).sort();
const files = Object.fromEntries(made.map((name) => [name, createHash("sha256").update(readFileSync(join(out, name))).digest("hex")]));
writeFileSync(join(out, "built.json"), JSON.stringify({ sources: sources(web), files }, null, 2) + "\n");
console.log(`${made.length + 1} files in ${out}`);
