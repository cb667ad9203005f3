/** Character references of HTML, as models write them in Markdown. */

const NAMED = new Map(
  ("amp & lt < gt > quot \" apos ' nbsp \u00a0 copy © reg ® trade ™ hellip … mdash — ndash – lsquo ‘ rsquo ’ ldquo “ rdquo ” laquo « raquo » bull • middot · " +
    "times × divide ÷ plusmn ± minus − deg ° micro µ para ¶ sect § cent ¢ pound £ yen ¥ euro € frac12 ½ frac14 ¼ frac34 ¾ sup1 ¹ sup2 ² sup3 ³ " +
    "le ≤ ge ≥ ne ≠ asymp ≈ equiv ≡ infin ∞ sum ∑ prod ∏ int ∫ radic √ part ∂ nabla ∇ isin ∈ notin ∉ cap ∩ cup ∪ sub ⊂ sube ⊆ forall ∀ exist ∃ empty ∅ " +
    "and ∧ or ∨ not ¬ larr ← uarr ↑ rarr → darr ↓ harr ↔ rArr ⇒ hArr ⇔ prime ′ ensp \u2002 emsp \u2003 thinsp \u2009 check ✓ " +
    "alpha α beta β gamma γ delta δ epsilon ε theta θ lambda λ mu μ pi π rho ρ sigma σ tau τ phi φ omega ω Gamma Γ Delta Δ Theta Θ Lambda Λ Pi Π Sigma Σ Phi Φ Omega Ω " +
    "auml ä ouml ö uuml ü Auml Ä Ouml Ö Uuml Ü szlig ß eacute é egrave è agrave à aacute á iacute í oacute ó uacute ú ccedil ç ntilde ñ aring å aelig æ oslash ø")
    .split(" ").reduce<[string, string][]>((pairs, word, index, words) => (index % 2 ? pairs : [...pairs, [word, words[index + 1]!]]), []),
);

/** Text with its character references replaced; one that is not known stays as it is. */
export function decoded(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z][A-Za-z0-9]{1,30}));/g, (whole, decimal, hex, name) => {
    if (name !== undefined) return NAMED.get(name) ?? whole;
    const code = decimal === undefined ? parseInt(hex, 16) : Number(decimal);
    const shown = code >= 32 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) && !(code >= 0x7f && code <= 0x9f);
    return shown ? String.fromCodePoint(code) : "\ufffd";
  });
}
