import fc from "fast-check";
import { render } from "preact";
import { beforeEach, describe, expect, it } from "vitest";
import { Markdown, safe } from "../src/text/markdown";

/** Elements that a model's text may become; nothing that loads, runs or takes input is among them. */
const ALLOWED = new Set(["div", "p", "span", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td",
  "br", "hr", "a", "math", "mrow", "mi", "mo", "mn", "mtext", "mspace", "mfrac", "msqrt", "mroot", "msub", "msup", "msubsup", "munder", "mover", "munderover",
  "mtable", "mtr", "mtd", "mpadded", "mphantom", "mstyle", "menclose", "semantics", "ms", "none", "mmultiscripts", "mprescripts"]);

let box: HTMLElement;
beforeEach(() => {
  box = document.createElement("div");
});

function shown(text: string): HTMLElement {
  render(<Markdown text={text} />, box);
  return box;
}

function check(text: string): void {
  for (const element of shown(text).querySelectorAll("*")) {
    expect(ALLOWED).toContain(element.localName);
    for (const { name, value } of element.attributes) {
      expect(name).not.toMatch(/^on|^(src|srcset|style|xlink:href|formaction|action|data|poster|background)$/i);
      if (name === "href") expect(value).toMatch(/^https?:\/\//);
    }
    if (element.localName === "a") expect(element.getAttribute("rel")).toContain("noopener");
  }
}

const HOSTILE = [
  "<script>canary()</script>", "<img src=x onerror=canary()>", "[x](javascript:canary())", "[x](JaVaScRiPt&colon;canary())", "[x](data:text/html,<script>canary()</script>)",
  "![x](https://evil.example/a.png)", "<style>*{display:none}</style>", "<a href='javascript:canary()'>x</a>", "<svg onload=canary()>", "<iframe srcdoc='<script>canary()</script>'>",
  "$\\href{javascript:canary()}{x}$", "$\\style{position:fixed}{x}$", "$\\class{a}{x}$", "$$\\includegraphics{https://evil.example/a.png}$$", "$\\color{url(https://evil.example)}x$",
  "[x]: javascript:canary()\n\n[x]", "<javascript:canary()>", "<https://good.example>", "`<b>`", "```html\n<script>canary()</script>\n```", "| <script> | b |\n|-|-|\n| [x](vbscript:a) | c |",
  "[a](//evil.example)", "[a](\\u0000javascript:canary())", "$\\text{<script>}$", "> <script>\n- [x](file:///etc/passwd)", "<!-- --><base href=//evil.example>",
];

describe("a model's text", () => {
  it.each(HOSTILE)("becomes nothing that runs or loads: %s", check);

  it("becomes nothing that runs or loads, whatever it is", () => {
    const piece = fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ maxLength: 20 }), fc.constantFrom("$", "$$", "\\[", "\\]", "[", "](", ")", "<", ">", "*", "`", "\n", "|", "&lt;", "\\frac", "{", "}"));
    fc.assert(fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => check(pieces.join(""))), { numRuns: 300 });
  });

  it.each([
    ["quotations", ">".repeat(50_000)], ["lists", "1. ".repeat(19_000)], ["mixed", "> - ".repeat(14_000)], ["emphasis", "_a*".repeat(15_000)],
    ["emphasis, in paragraphs", ("_a*".repeat(900) + "\n\n").repeat(20)], ["mathematics", "\\[".repeat(29_000)],
  ])("that would take a browser for ever is shown as it was written: %s", (_, text) => {
    expect(shown(text).textContent).toBe(text);
    expect(box.querySelectorAll("*").length).toBe(2);
  });

  it("is read where much of it is marked, and quoted within quotations", () => {
    expect(shown("- **a** *b*\n".repeat(300)).querySelectorAll("strong").length).toBe(300);
    expect(shown("> > > a\n\n".repeat(100)).querySelectorAll("blockquote").length).toBe(300);
  });

  it("shows tags as the text they are", () => {
    expect(shown("a <b>c</b> <script>x</script>").textContent).toContain("<script>x</script>");
  });

  it("is Markdown with mathematics", () => {
    shown("# T\n\n**b** *i* `c`\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n$E = mc^2$ and \\(a\\)\n\n$$\\frac{1}{2}$$\n\n[l](https://a.example/x)");
    for (const name of ["strong", "em", "code", "ul", "table", "math", "mfrac", "a"]) expect(box.querySelector(name), name).not.toBeNull();
    expect(box.querySelectorAll("math").length).toBe(3);
    expect(box.querySelector("math")!.namespaceURI).toBe("http://www.w3.org/1998/Math/MathML");
  });

  it.each([["((25-7)*3)+12"], ["2*3*4"], ["costs $5 and $6"], ["a_b_c"], ["x < y & z > w"]])("leaves an answer as it is: %s", (text) => {
    expect(shown(text).textContent).toBe(text);
  });

  it("is shown as it was written where it is too long or too deep", () => {
    const long = "*a* ".repeat(20_000);
    expect(shown(long).querySelector("em")).toBeNull();
    expect(shown("> ".repeat(500) + "x").textContent).toContain("x");
    expect(shown(`$${"{".repeat(300)}x${"}".repeat(300)}$`).textContent).toContain("x");
  });

  it("knows only addresses of the web", () => {
    expect(safe("https://a.example/")).toBe("https://a.example/");
    for (const bad of ["javascript:a", "data:text/html,a", "/v1/runs", "//a.example", "file:///a", " javascript:a", "blob:https://a", ""]) expect(safe(bad)).toBeNull();
  });
});
