import fc from "fast-check";
import { render } from "preact";
import { beforeEach, describe, expect, it } from "vitest";
import { Markdown, safe } from "../src/text/markdown";

/** Elements that a model's text may become; nothing that loads, runs or takes input is among them. */
const ALLOWED = new Set(["div", "p", "span", "sup", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td",
  "br", "hr", "a", "math", "mrow", "mi", "mo", "mn", "mtext", "mspace", "mfrac", "msqrt", "mroot", "msub", "msup", "msubsup", "munder", "mover", "munderover",
  "mtable", "mtr", "mtd", "mpadded", "mphantom", "mstyle", "menclose", "semantics", "ms", "none", "mmultiscripts", "mprescripts"]);

let box: HTMLElement;
beforeEach(() => {
  // Cells of MathML have styles in browsers, and none in happy-dom.
  if (!("style" in Element.prototype)) Object.defineProperty(Element.prototype, "style", { value: {}, configurable: true });
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

  it.each([["((25-7)*3)+12"], ["2*3*4"], ["costs $5 and $6"], ["a_b_c"], ["x < y & z > w"], ["matches [^abc] and [^0-9]"]])("leaves an answer as it is: %s", (text) => {
    expect(shown(text).textContent).toBe(text);
  });

  it.each([
    ["Sales rose from $50M to $72M. US$ 680 mi para US$ 720 mi."], ["R$ 5 or R$ 6"], ["A$5, HK$6 and $7"], ["$5-$10, or $5–$10, or $5 to $10"], ["5$ and 6$"],
    ["from $20/month, billed as C$ 240"], ["$1.2B ($900M in 2020)"], ["$5M, R$ 6"], ["$10 or 20$"], ["echo $HOME:$PATH and $MY_VAR:$OTHER"], ["$AAPL, $GOOG and $AAPL/$MSFT"],
    ["a $$ place and a $$$ place"], ["$ 5 and $ 6"], ["+$5 and -$3"],
  ])("keeps dollars that are money, or names: %s", (text) => {
    expect(shown(text).textContent).toBe(text);
    expect(box.querySelector("math")).toBeNull();
  });

  it.each([
    ["$x$"], ["the $n$th, $k$-means"], ["$5$"], ["$2xy + 3ab$"], ["$3 \\times 4 = 12$"], ["$a = 5$ and $b < 6$"], ["$|x|$"], ["$x$, $5 and 6"], ["where $x_i,$ as above"], ["\\(x+y\\)"], ["\\[x+y\\]"],
    ["$$x$$"], ["$$\nx\n$$"], ["so\n\\[\nx\n\\]\nthen"], ["($x$)"], ["**$x$**"], ["- $x$"], ["| a |\n|---|\n| $x$ |"], ["```math\nx^2\n```"], ["$\\$5 + x$"], ["$ABC \\sim DEF$"],
    ["\\begin{align}a&=b\\\\c&=d\\end{align}"], ["so\n\\begin{align*}\na&=b\\\\\nc&=d\n\\end{align*}\nthen"], ["$$\\begin{aligned}a&=b\\\\[2pt]c&=d\\end{aligned}$$"],
    ["\\begin{equation}x\\end{equation}"], ["\\begin{pmatrix}1&\\begin{pmatrix}2\\end{pmatrix}\\end{pmatrix}"], ["it is \\begin{cases}1\\\\2\\end{cases} here"],
  ])("reads mathematics: %s", (text) => {
    expect(shown(text).querySelector("math"), box.innerHTML).not.toBeNull();
    expect(box.textContent).not.toContain("\\begin");
  });

  it.each([
    ["as \\[1\\] says, and \\[2, 3\\]", "as [1] says, and [2, 3]"], ["\\(see the table below\\)", "(see the table below)"], ["\\[a\\](b)", "[a](b)"], ["\\$5 and \\$6", "$5 and $6"],
  ])("obeys a backslash before a character that is meant: %s", (text, wanted) => {
    expect(shown(text).textContent).toBe(wanted);
    expect(box.querySelector("math")).toBeNull();
  });

  it("shows an environment that it does not know as it was written", () => {
    for (const text of ["\\begin{itemize}\\item a\\\\b\\end{itemize}", "\\begin{tikzpicture}\\draw (0,0);\\end{tikzpicture}"]) expect(shown(text).textContent).toBe(text);
    expect(shown("\\begin{align}a&=b").textContent).toContain("\\begin{align}a&=b");
  });

  it("does not break a line of text at a formula", () => {
    expect(shown("a $$x$$ b").querySelectorAll("p").length).toBe(1);
    expect(box.querySelector("br")).toBeNull();
    expect(shown("a \\[x\\] b").querySelector("br")).toBeNull();
  });

  it("shows each box of a list of tasks once, wherever it stands", () => {
    const boxes = (text: string): string => shown(text).textContent!.replace(/\s+/g, " ").trim();
    expect(boxes("- [ ] a\n- [x] b")).toBe("☐ a☑ b");
    expect(boxes("- [ ] a\n\n- [X] **b**\n")).toBe("☐ a☑ b");
    expect(boxes("1. [ ] a\n   - [x] b")).toBe("☐ a☑ b");
    expect(boxes("- a [ ] b")).toBe("a [ ] b");
  });

  it("keeps cells whole if a bar stands in code or in a formula", () => {
    const cells = (text: string): string[] => [...shown(text).querySelectorAll("td")].map((each) => each.textContent!);
    expect(cells("| a | b |\n|---|---|\n| `x|y` | c |\n| `x\\|y` | d |")).toEqual(["x|y", "c", "x|y", "d"]);
    expect(cells("a | b\n--|--\n`p || q` | c")).toEqual(["p || q", "c"]);
    expect(cells("| a | b |\n|---|---|\n| $|x|$ | c |")[1]).toBe("c");
    expect(box.querySelector("td math")).not.toBeNull();
    expect(cells("| a | b |\n|---|---|\n| c | d | e |")).toEqual(["c", "d"]);
    expect(shown("```\n| a |\n|---|\n| `b|c` |\n```").textContent).toContain("`b|c`");
    expect(cells("| a | b |\n|---|---|\n| one<br>two | c |")).toEqual(["onetwo", "c"]);
    expect(box.querySelector("td br")).not.toBeNull();
  });

  it("sets footnotes apart, and only those that are there", () => {
    shown("A claim.[^1] Another.[^note]\n\n[^1]: source\n[^note]: A longer *source*,\nover two lines.\n\nThe end.[^2]");
    expect([...box.querySelectorAll("sup")].map((each) => each.textContent)).toEqual(["1", "note", "1", "note"]);
    expect([...box.querySelectorAll(".footnote")].map((each) => each.textContent)).toEqual(["1 source", "note A longer source,over two lines."]);
    expect(box.textContent).toContain("The end.[^2]");
    expect(box.querySelector("a")).toBeNull();
  });

  it("replaces references to characters, each once", () => {
    expect(shown("&copy; 5 &times; 3 &le; 16 &amp;lt; &#8364;&#x20AC; &bogus; AT&T &#0;").textContent).toBe("© 5 × 3 ≤ 16 &lt; €€ &bogus; AT&T \ufffd");
    expect(shown("`&lt;b&gt;`").textContent).toBe("&lt;b&gt;");
  });

  it("shows code whatever stands behind its fence", () => {
    for (const info of ["python", "python title=\"a.py\"", "{.python .numberLines}", "c++ {1,3}"]) expect(shown(`\`\`\`${info}\nx $5 $6 \\(a\\)\n\`\`\``).querySelector("pre")!.textContent).toBe("x $5 $6 \\(a\\)");
    expect(shown("~~~js\n```\n~~~").querySelector("pre")!.textContent).toBe("```");
    expect(shown("```js\nx").querySelector("pre")!.textContent).toBe("x");
  });

  it("keeps lists within lists", () => {
    shown("1. a\n   - b\n     - c\n2. d\n\n3) e");
    expect(box.querySelectorAll("ol > li > ul > li > ul > li").length).toBe(1);
    expect([...box.querySelectorAll("ol")].map((each) => each.getAttribute("start"))).toEqual(["1", "3"]);
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
