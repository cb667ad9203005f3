/** Tables in which a bar stands within code or a formula, where only an escaped one is allowed. */

const DELIMITER = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;
const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const HELD = /(`+)(?:(?!\1)[^\n])+?\1(?!`)|\$\$[^$\n]+\$\$|\$(?![\s$])(?:\\.|[^$\\\n`])+?\$(?!\d)|\\\(.+?\\\)/g;
/** Characters of a row that is looked at. */
const LONGEST = 2000;
const BARE = /(^|[^\\])\|/g;

/** The text with those bars escaped, in rows that have more cells than their table has columns. */
export function withEscapedBars(text: string): string {
  if (!text.includes("|")) return text;
  const lines = text.split("\n");
  let columns = 0; // Of the table that a line belongs to; 0 outside of one.
  let fence = "";
  return lines.map((line, index) => {
    const mark = FENCE.exec(line)?.[1];
    if (fence) {
      if (mark?.startsWith(fence) && line.trim() === mark) fence = "";
      return line;
    }
    if (mark !== undefined) {
      [fence, columns] = [mark, 0];
      return line;
    }
    if (columns > 0 && !line.includes("|")) columns = 0;
    const next = lines[index + 1];
    if (columns === 0 && line.includes("|") && next !== undefined && DELIMITER.test(next) && next.includes("|")) columns = cells(next);
    return columns > 0 && line.length < LONGEST && cells(line) > columns ? escaped(line) : line;
  }).join("\n");
}

function cells(line: string): number {
  const row = line.trim().replace(/^\|/, "").replace(/(^|[^\\])\|$/, "$1");
  return (row.match(/(?<!\\)\|/g)?.length ?? 0) + 1;
}

function escaped(line: string): string {
  return line.replace(HELD, (held) => (held.startsWith("`") ? twice(held) : twice(held.replace(/\\\|/g, "\\Vert "))));
}

/** Bars side by side share the character before them, so one pass leaves every other one. */
function twice(held: string): string {
  return held.replace(BARE, "$1\\|").replace(BARE, "$1\\|");
}
