/**
 * A model's text as Markdown with mathematics, built element by element: no HTML is ever written, so none that a model wrote is read.
 *
 * Tags are shown as the text they are, links lead to http and https only, and pictures become links: nothing is fetched.
 */

import { Marked, type Token, type Tokens } from "marked";
import type { ComponentChildren, VNode } from "preact";
import { useMemo } from "preact/hooks";
import { decoded } from "./entities";
import { blockFormula, blockFormulaStart, type Formula, inlineFormula, inlineFormulaStart } from "./formulas";
import { Mathematics } from "./mathematics";
import { withEscapedBars } from "./tables";

/** Characters that are read as Markdown; what is longer is shown as it was written. */
const MOST = 60_000;
const DEEPEST = 40;
/** Emphasis takes time by the square of its marks within a paragraph: so much of it is read at once, some tenths of a second. */
const MOST_WORK = 8_000_000;
const MARKS = /[*_~`$]|\\[[(]/g;
/** Quotations, or lists of lists in one line, within each other so often that nobody means them. */
const NESTED = /^(?:[ \t]*(?:>|[-+*]|\d{1,9}[.)])(?=[ \t>])){30}|^(?:[ \t]*>){30}/m;

interface Footnote {
  readonly type: "footnote" | "footnote-text";
  readonly raw: string;
  readonly name: string;
  readonly tokens?: Token[];
}

const FOOTNOTE = /^\[\^([^\]\s^]{1,40})\](?!:)/;
const FOOTNOTE_TEXT = /^ {0,3}\[\^([^\]\s^]{1,40})\]:[ \t]+([^\n]+(?:\n(?![ \t]*(?:\n|$)| {0,3}\[\^)[^\n]+)*)(?:\n|$)/;
const FOOTNOTE_NAMES = /^ {0,3}\[\^([^\]\s^]{1,40})\]:[ \t]+\S/gm;
const LINE_BREAK = /^<br[ \t]*\/?>$/i;
/** Footnotes of the text that is being read; a caret in brackets is anything else without one. */
let footnotes: ReadonlySet<string> = new Set();

const reader = new Marked({
  gfm: true,
  breaks: true,
  tokenizer: {
    // A star between numbers, letters or brackets multiplies: 25*3*7 is no emphasis.
    emStrong(text, _masked, before = "") {
      return /[\p{L}\p{N})\]]$/u.test(before) && /^\*[\p{L}\p{N}([]/u.test(text) ? undefined : false;
    },
  },
  extensions: [
    { name: "formula-block", level: "block", start: blockFormulaStart, tokenizer: (text: string) => blockFormula(text) as Tokens.Generic | undefined },
    {
      name: "formula-inline", level: "inline", start: inlineFormulaStart,
      tokenizer: (text: string, tokens: Token[]) => inlineFormula(text, tokens.at(-1)?.raw) as Tokens.Generic | undefined,
    },
    {
      name: "footnote-text", level: "block", start: (text: string) => position(text, /(?<=\n) {0,3}\[\^/),
      tokenizer(text: string) {
        const found = FOOTNOTE_TEXT.exec(text);
        return found === null ? undefined : { type: "footnote-text", raw: found[0], name: found[1]!, tokens: this.lexer.inline(found[2]!.trim()) };
      },
    },
    {
      name: "footnote", level: "inline", start: (text: string) => position(text, /\[\^/),
      tokenizer(text: string) {
        const found = FOOTNOTE.exec(text);
        return found === null || !footnotes.has(found[1]!) ? undefined : { type: "footnote", raw: found[0], name: found[1]! };
      },
    },
  ],
});

function position(text: string, pattern: RegExp): number | undefined {
  const at = text.search(pattern);
  return at < 0 ? undefined : at;
}

/** Text that a model wrote. */
export function Markdown({ text }: { text: string }): VNode {
  return useMemo(() => <div class="markdown">{read(text)}</div>, [text]);
}

function read(text: string): ComponentChildren {
  if (text.length > MOST || NESTED.test(text) || work(text) > MOST_WORK) return <p class="plain">{text}</p>;
  footnotes = new Set([...text.matchAll(FOOTNOTE_NAMES)].map((found) => found[1]!));
  return blocks(reader.lexer(withEscapedBars(text)), 0);
}

function work(text: string): number {
  return text.split(/\n[ \t]*\n/).reduce((sum, paragraph) => sum + (paragraph.match(MARKS)?.length ?? 0) ** 2, 0);
}

function blocks(tokens: readonly Token[] | undefined, depth: number): ComponentChildren {
  if (depth > DEEPEST) return tokens?.map((token) => token.raw).join("");
  return tokens?.map((token) => shown(token, depth));
}

function shown(token: Token, depth: number): ComponentChildren {
  const within = (): ComponentChildren => blocks((token as { tokens?: Token[] }).tokens, depth + 1);
  switch (token.type) {
    case "space": return null;
    case "paragraph": return <p>{within()}</p>;
    case "heading": return <p class={`heading level-${Math.min(3, (token as Tokens.Heading).depth)}`} role="heading" aria-level={3}>{within()}</p>;
    case "blockquote": return <blockquote>{within()}</blockquote>;
    case "code": return code(token as Tokens.Code);
    case "hr": return <hr />;
    case "list": return list(token as Tokens.List, depth);
    case "table": return table(token as Tokens.Table, depth);
    case "strong": return <strong>{within()}</strong>;
    case "em": return <em>{within()}</em>;
    case "del": return <del>{within()}</del>;
    case "codespan": return <code>{(token as Tokens.Codespan).text}</code>;
    case "br": return <br />;
    case "link": return link((token as Tokens.Link).href, within());
    case "image": return link((token as Tokens.Image).href, `picture: ${(token as Tokens.Image).text || "without a name"}`);
    case "formula": return <Mathematics {...token as unknown as Formula} />;
    case "checkbox": return <span>{(token as Tokens.Checkbox).checked ? "☑ " : "☐ "}</span>;
    case "footnote": return <sup>{(token as unknown as Footnote).name}</sup>;
    case "footnote-text": return <p class="footnote"><sup>{(token as unknown as Footnote).name}</sup> {within()}</p>;
    case "escape": return (token as Tokens.Escape).text;
    case "text": return (token as Tokens.Text).tokens === undefined ? decoded((token as Tokens.Text).raw) : within();
    case "html": return LINE_BREAK.test(token.raw.trim()) ? <br /> : token.raw;
    default: return token.raw; // Tags, definitions, and whatever else: the text that it is.
  }
}

function code(token: Tokens.Code): VNode {
  return token.lang === "math" ? <Mathematics tex={token.text} display /> : <pre tabIndex={0}><code>{token.text}</code></pre>;
}

function list(token: Tokens.List, depth: number): VNode {
  const entries = token.items.map((item) => (
    <li>{blocks(item.tokens, depth + 1)}</li>
  ));
  return token.ordered ? <ol start={Number(token.start) || 1}>{entries}</ol> : <ul>{entries}</ul>;
}

function table(token: Tokens.Table, depth: number): VNode {
  const cell = (each: Tokens.TableCell): ComponentChildren => blocks(each.tokens, depth + 1);
  return (
    <div class="table" tabIndex={0} role="group" aria-label="table">
      <table>
        <thead><tr>{token.header.map((each) => <th scope="col">{cell(each)}</th>)}</tr></thead>
        <tbody>{token.rows.map((row) => <tr>{row.map((each) => <td>{cell(each)}</td>)}</tr>)}</tbody>
      </table>
    </div>
  );
}

function link(href: string, text: ComponentChildren): ComponentChildren {
  const address = safe(href);
  return address === null ? <>{text}</> : <a href={address} target="_blank" rel="noopener noreferrer nofollow">{text}</a>;
}

/** An absolute http or https address, else null. */
export function safe(href: string): string | null {
  try {
    const address = new URL(href);
    return address.protocol === "https:" || address.protocol === "http:" ? address.href : null;
  } catch {
    return null;
  }
}
