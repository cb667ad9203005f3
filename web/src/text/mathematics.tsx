/** TeX as MathML, built element by element from what Temml parsed. Only what is listed here is ever made. */

import { h, type VNode } from "preact";
import temml from "temml";

const ELEMENTS = new Set(["math", "mrow", "mi", "mo", "mn", "ms", "mtext", "mspace", "mfrac", "msqrt", "mroot", "msub", "msup", "msubsup",
  "munder", "mover", "munderover", "mmultiscripts", "mprescripts", "none", "mtable", "mtr", "mtd", "mpadded", "mphantom", "mstyle",
  "menclose", "semantics"]);

const ATTRIBUTES = new Set(["accent", "accentunder", "columnalign", "columnlines", "columnspacing", "depth", "display", "displaystyle", "fence",
  "form", "height", "largeop", "linethickness", "lspace", "mathsize", "mathvariant", "maxsize", "minsize", "movablelimits", "notation",
  "rowlines", "rowspacing", "rspace", "scriptlevel", "separator", "stretchy", "symmetric", "voffset", "width"]);

/** Table cells have their space as padding; nothing else of a style is taken over. */
const PADDING = /^-?\d{1,3}(\.\d+)?(em|pt|ex)$/;

/** Characters that are read as mathematics; more is shown as it was written. */
const MOST = 5000;
/** Elements of one formula. */
const MOST_ELEMENTS = 5000;

interface Node {
  readonly type?: string;
  readonly text?: string;
  readonly children?: readonly Node[];
  readonly attributes?: Readonly<Record<string, unknown>>;
  readonly style?: Readonly<Record<string, unknown>>;
}

interface Parser {
  __renderToMathMLTree(tex: string, options: object): Node;
}

/** A formula; one that cannot be read is shown as it was written, with its delimiters where it is known. */
export function Mathematics({ tex, display, raw = tex }: { tex: string; display: boolean; raw?: string }): VNode {
  const made = tex.length > MOST ? null : formula(tex, display);
  if (made === null) return <code>{raw.trim()}</code>;
  return display ? <div class="formula" tabIndex={0} role="group" aria-label="formula">{made}</div> : <>{made}</>;
}

function formula(tex: string, display: boolean): VNode | null {
  try {
    const tree = (temml as unknown as Parser).__renderToMathMLTree(tex, { displayMode: display, throwOnError: true, trust: false, strict: false,
      maxExpand: 200, maxSize: [10, 50], wrap: "none", annotate: false });
    const room = { left: MOST_ELEMENTS };
    const made = element(tree, room, 0);
    return room.left > 0 && typeof made === "object" ? made : null;
  } catch {
    return null; // A model wrote it: no TeX, or more than is read.
  }
}

function element(node: Node, room: { left: number }, depth: number): VNode | string | null {
  room.left -= 1;
  if (room.left <= 0 || depth > 100) return null;
  if (node.type === undefined) {
    return typeof node.text === "string" ? node.text : <mrow>{children(node, room, depth)}</mrow>;
  }
  if (node.type === "text") return String(node.text ?? "");
  if (!ELEMENTS.has(node.type)) return <mrow>{children(node, room, depth)}</mrow>;
  return h(node.type, { ...attributes(node), ...padding(node) } as object, ...children(node, room, depth));
}

function children(node: Node, room: { left: number }, depth: number): (VNode | string | null)[] {
  return (node.children ?? []).map((child) => element(child, room, depth + 1));
}

function attributes(node: Node): Record<string, string> {
  const pairs = Object.entries(node.attributes ?? {}).filter(([name]) => ATTRIBUTES.has(name));
  return Object.fromEntries(pairs.map(([name, value]) => [name, String(value).slice(0, 40)]));
}

function padding(node: Node): { style?: Record<string, string> } {
  if (node.type !== "mtd") return {};
  const sides = ["paddingLeft", "paddingRight"].map((name) => [name, String(node.style?.[name] ?? "")] as const);
  return { style: Object.fromEntries(sides.filter(([, value]) => PADDING.test(value))) };
}
