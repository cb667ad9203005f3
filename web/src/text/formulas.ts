/** Formulas within Markdown: where one begins and ends, and which dollars are money. */

export interface Formula {
  readonly type: "formula";
  readonly raw: string;
  readonly tex: string;
  readonly display: boolean;
}

/** Characters of a formula that are looked at: on lines of its own, and within a line. */
const MOST_BLOCK = 5000;
const MOST_INLINE = 2000;
const MOST_DOLLAR = 500;

/** A block begins on a line of its own; a paragraph before it ends there. */
const BLOCK_START = /\n {0,3}(?=\$\$|\\\[|\\begin\{[A-Za-z]+\*?\})/;
const BLOCK = /^ {0,3}(?:\$\$([\s\S]{1,5000}?)\$\$|\\\[([\s\S]{1,5000}?)\\\])[ \t]*(?=\n|$)/;
const INLINE_START = /\$|\\\(|\\\[|\\begin\{[A-Za-z]+\*?\}/;
const BEGIN = /^\\begin\{([A-Za-z]+\*?)\}/;
const DOUBLE = /^\$\$((?:\\[\s\S]|[^$\\]){1,2000}?)\$\$(?!\$)/;
const SINGLE = /^\$(?![\s$])((?:\\[^\n]|[^$\\\n`]){1,500}?)(?<!\s)\$(?![\d$])/;

/** What TeX is written with, and prose is not. */
const TEX = /[\\^_{}]/;
const RELATION = /[=<>≤≥≈≠]/;
/** A word of prose: no factors after a number or an operator, as in "2xy + ab". */
const WORD = /(?<![\p{L}\d])(?<![-+*/=<>]\s?)\p{L}{2,}/gu;
/** An amount: a number, perhaps with a sign, at the beginning. */
const AMOUNT = /^[-+−]?[.,]?\d/;
/** "US$ 680": a currency's letters before the dollar, a number after it. */
const CODE_BEFORE = /(?:^|[^A-Za-z\\])[A-Z]{1,3}$/;
/** Names that begin with a dollar have this between them: "$HOME:$PATH". */
const BETWEEN_NAMES = /[-+*/=:,;@([&–—]$/;
/** Numbers in brackets are a reference: "\[1\]", "\[2, 3\]". */
const REFERENCE = /^\s*\d{1,3}(?:\s*[,–-]\s*\d{1,3})*\s*$/;

function formula(raw: string, tex: string, display: boolean): Formula {
  return { type: "formula", raw, tex, display };
}

/** Position of the next block formula in a text that does not begin with one. */
export function blockFormulaStart(text: string): number | undefined {
  const found = BLOCK_START.exec(text);
  return found === null ? undefined : found.index + 1;
}

/** The formula on lines of its own with which a text begins. */
export function blockFormula(text: string): Formula | undefined {
  const found = BLOCK.exec(text);
  if (found !== null) {
    const tex = (found[1] ?? found[2])!;
    return found[2] !== undefined && REFERENCE.test(tex) ? undefined : formula(found[0], tex, true);
  }
  const indent = /^ {0,3}/.exec(text)![0];
  const whole = environment(text.slice(indent.length));
  return whole === undefined ? undefined : formula(indent + whole, whole, true);
}

/** Position of the next formula within a line. */
export function inlineFormulaStart(text: string): number | undefined {
  const at = text.search(INLINE_START);
  return at < 0 ? undefined : at;
}

/** The formula with which a text begins. before: the text right before it. */
export function inlineFormula(text: string, before = ""): Formula | undefined {
  if (text.startsWith("\\begin{")) {
    const whole = environment(text);
    return whole === undefined ? undefined : formula(whole, whole, true);
  }
  if (text.startsWith("\\(") || text.startsWith("\\[")) return bracketed(text);
  if (/[\p{L}\p{N}$]$/u.test(before)) return undefined; // US$, 5$: a currency.
  const double = DOUBLE.exec(text);
  if (double !== null) return isProse(double[1]!) || !double[1]!.trim() ? undefined : formula(double[0], double[1]!, true);
  const single = text.startsWith("$$") ? null : SINGLE.exec(text.slice(0, MOST_DOLLAR + 3));
  if (single === null) return undefined;
  return isMoney(single[1]!, text.slice(single[0].length)) ? undefined : formula(single[0], single[1]!, false);
}

function bracketed(text: string): Formula | undefined {
  const display = text[1] === "[";
  const end = text.slice(0, MOST_INLINE).indexOf(display ? "\\]" : "\\)", 2);
  if (end < 3) return undefined;
  const tex = text.slice(2, end);
  const after = text.slice(end + 2);
  // Brackets that are escaped because they are meant as they are: "\[1\]", "\[a link\](...)", "\(see below\)".
  if (isProse(tex) || (display && (REFERENCE.test(tex) || after.startsWith("(")))) return undefined;
  return formula(text.slice(0, end + 2), tex, display);
}

/** Two words or more, nothing of TeX, and nothing that is equal. */
function isProse(text: string): boolean {
  return !TEX.test(text) && !RELATION.test(text) && words(text) > 1;
}

function words(text: string): number {
  return text.match(WORD)?.length ?? 0;
}

/** True if two dollars are amounts, currencies or names of variables, with text between them. */
function isMoney(text: string, after: string): boolean {
  if (BETWEEN_NAMES.test(text) && /^[\p{L}_]/u.test(after)) return true;
  if (CODE_BEFORE.test(text) && /^ ?\d/.test(after)) return true;
  if (TEX.test(text)) return false;
  if (/^\p{L}/u.test(after) && words(text) > 0) return true;
  return AMOUNT.test(text) ? words(text) > 0 : isProse(text);
}

/** The environment with which a text begins, to its own end; others of the same name may be within it. */
function environment(text: string): string | undefined {
  const name = BEGIN.exec(text)?.[1];
  if (name === undefined) return undefined;
  const part = text.slice(0, MOST_BLOCK);
  let depth = 0;
  for (const found of part.matchAll(/\\(begin|end)\{([A-Za-z]+\*?)\}/g)) {
    if (found[2] !== name) continue;
    depth += found[1] === "begin" ? 1 : -1;
    if (depth === 0) return part.slice(0, found.index + found[0].length);
  }
  return undefined;
}
