/**
 * A model's text as Markdown with mathematics, built element by element: no HTML is ever written, so none that a model wrote is read.
 *
 * Tags are shown as the text they are, links lead to http and https only, and pictures become links: nothing is fetched.
 */

import { Marked, type Token, type Tokens } from "marked";
import type { ComponentChildren, VNode } from "preact";
import { useMemo } from "preact/hooks";
import { Mathematics } from "./mathematics";

/** Characters that are read as Markdown; what is longer is shown as it was written. */
const MOST = 60_000;
const DEEPEST = 40;
/** Emphasis takes time by the square of its marks within a paragraph: so much of it is read at once, some tenths of a second. */
const MOST_WORK = 8_000_000;
const MARKS = /[*_~`$]|\\[[(]/g;
/** Quotations, or lists of lists in one line, within each other so often that nobody means them. */
const NESTED = /^(?:[ \t]*(?:>|[-+*]|\d{1,9}[.)])(?=[ \t>])){30}|^(?:[ \t]*>){30}/m;

interface Formula {
  readonly type: "formula";
  readonly raw: string;
  readonly tex: string;
  readonly display: boolean;
}

const BLOCK = /^(?:\$\$([\s\S]{1,5000}?)\$\$|\\\[([\s\S]{1,5000}?)\\\])(?=\s|$)/;
const INLINE = /^(?:\$\$([^$]{1,2000}?)\$\$|\\\(([\s\S]{1,2000}?)\\\)|\\\[([\s\S]{1,2000}?)\\\]|\$(?!\s)([^$\n]{1,500}?)(?<!\s)\$(?!\d))/;

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
    {
      name: "formula-block", level: "block",
      start: (text: string) => position(text, /\$\$|\\\[/),
      tokenizer(text: string) {
        const found = BLOCK.exec(text);
        return found === null ? undefined : { type: "formula", raw: found[0], tex: (found[1] ?? found[2])!, display: true };
      },
    },
    {
      name: "formula-inline", level: "inline",
      start: (text: string) => position(text, /\$|\\\(|\\\[/),
      tokenizer(text: string) {
        const found = INLINE.exec(text);
        if (found === null) return undefined;
        const display = found[1] ?? found[3];
        return { type: "formula", raw: found[0], tex: (display ?? found[2] ?? found[4])!, display: display !== undefined };
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
  return blocks(reader.lexer(text), 0);
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
    case "code": return <pre tabIndex={0}><code>{(token as Tokens.Code).text}</code></pre>;
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
    case "formula": return <Mathematics tex={(token as unknown as Formula).tex} display={(token as unknown as Formula).display} />;
    case "escape": return (token as Tokens.Escape).text;
    case "text": return (token as Tokens.Text).tokens === undefined ? plain((token as Tokens.Text).text) : within();
    default: return token.raw; // Tags, definitions, and whatever else: the text that it is.
  }
}

const ENTITIES: Readonly<Record<string, string>> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&nbsp;": "\u00a0" };

function plain(text: string): string {
  return text.replace(/&(?:amp|lt|gt|quot|#39|nbsp);/g, (entity) => ENTITIES[entity] ?? entity);
}

function list(token: Tokens.List, depth: number): VNode {
  const entries = token.items.map((item) => (
    <li>{item.task && <span>{item.checked ? "☑ " : "☐ "}</span>}{blocks(item.tokens, depth + 1)}</li>
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
