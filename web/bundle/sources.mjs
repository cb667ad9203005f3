/** What the page is made of, as one number: the same here and in the test that compares it with the built page. */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";

/** Everything in web/ that a build reads. Lock and settings count: other versions make another page. */
const PARTS = ["bundle", "src", "index.html", "replay.html", "package.json", "package-lock.json", "tsconfig.json"];

function files(path) {
  try {
    return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? files(join(path, entry.name)) : [join(path, entry.name)]));
  } catch (error) {
    if (error.code === "ENOTDIR") return [path];
    throw error;
  }
}

/** SHA-256 over the names and the bytes of all sources, in the order of their names. */
export function sources(web) {
  const found = PARTS.flatMap((part) => files(join(web, part))).map((path) => relative(web, path).split(sep).join("/")).sort();
  const hash = createHash("sha256");
  for (const name of found) hash.update(`${name}\0${createHash("sha256").update(readFileSync(join(web, name))).digest("hex")}\n`);
  return hash.digest("hex");
}
