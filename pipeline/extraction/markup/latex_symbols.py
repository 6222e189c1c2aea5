"""The characters that commands of LaTeX stand for: accents, letters, symbols of mathematics. Pure."""

from __future__ import annotations

import re
import unicodedata

_MARKS = """
    " 308  ' 301  ` 300  ^ 302  ~ 303  = 304  . 307  u 306  v 30c  H 30b  c 327  k 328  r 30a  d 323  b 331  t 361
"""
ACCENTS = {
    name: chr(int(code, 16)) for name, code in zip(_MARKS.split()[::2], _MARKS.split()[1::2], strict=True)
}
_LETTERS = """
    ss ß ae æ AE Æ oe œ OE Œ o ø O Ø l ł L Ł aa å AA Å i ı j ȷ dh ð DH Ð th þ TH Þ dj đ DJ Đ ng ŋ NG Ŋ ldots … dots
    … textellipsis … textendash – textemdash — textquotedblleft “ textquotedblright ” textquoteleft ‘ textquoteright
    ’ quotedblbase „ glqq „ grqq “ glq ‚ grq ‘ flqq « frqq » guillemotleft « guillemotright » textbackslash \\
    textasciitilde ~ textasciicircum ^ textbar | textless < textgreater > textunderscore _ textdollar $ textbullet •
    textdegree ° textregistered ® texttrademark ™ copyright © textcopyright © pounds £ euro € EUR € texteuro € S § P
    ¶ dag † ddag ‡ LaTeX LaTeX TeX TeX LaTeXe LaTeX2e BibTeX BibTeX XeTeX XeTeX textmu µ textonehalf ½ checkmark ✓
"""
_MATHS = """
    alpha α beta β gamma γ delta δ epsilon ε varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι kappa κ lambda λ mu
    μ nu ν xi ξ pi π rho ρ sigma σ tau τ upsilon υ phi φ varphi φ chi χ psi ψ omega ω Gamma Γ Delta Δ Theta Θ Lambda
    Λ Xi Ξ Pi Π Sigma Σ Phi Φ Psi Ψ Omega Ω times × cdot · div ÷ pm ± mp ∓ le ≤ leq ≤ ge ≥ geq ≥ ne ≠ neq ≠ approx ≈
    equiv ≡ sim ∼ simeq ≃ propto ∝ infty ∞ partial ∂ nabla ∇ sum ∑ prod ∏ int ∫ in ∈ notin ∉ subset ⊂ subseteq ⊆ cup
    ∪ cap ∩ to → rightarrow → leftarrow ← Rightarrow ⇒ Leftarrow ⇐ leftrightarrow ↔ Leftrightarrow ⇔ iff ⇔ mapsto ↦
    forall ∀ exists ∃ neg ¬ land ∧ lor ∨ wedge ∧ vee ∨ emptyset ∅ varnothing ∅ ell ℓ hbar ℏ circ ∘ bullet • star ⋆
    ast ∗ cdots ⋯ vdots ⋮ ldots … dots … langle ⟨ rangle ⟩ lfloor ⌊ rfloor ⌋ lceil ⌈ rceil ⌉ mid | parallel ∥ perp ⊥
    angle ∠ degree ° prime ′ ll ≪ gg ≫ oplus ⊕ otimes ⊗ setminus ∖ backslash \\ quad quad top ⊤ bot ⊥ models ⊨ vdash
    ⊢ colon : square ☐ Box ☐ boxtimes ☒ checkmark ✓
"""


def _named(words: str) -> dict[str, str]:
    parts = words.split()
    return dict(zip(parts[::2], parts[1::2], strict=True))


LETTERS = _named(_LETTERS)
_SYMBOLS = _named(_MATHS) | {"quad": " ", "qquad": " "}
_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]{0,300})\}\s*\{([^{}]{0,300})\}")
_ROOT = re.compile(r"\\sqrt\s*\{([^{}]{0,300})\}")
_SILENT = re.compile(
    r"\\(?:left|right|[bB]ig+[lr]?|displaystyle|textstyle|limits|nolimits|nonumber|notag|hfill)(?![a-zA-Z])"
    r"|\\(?:label|tag|vspace|hspace|phantom)\*?\s*\{[^{}]*\}|\\begin\{[^{}]*\}(?:\{[^{}]*\})?|\\end\{[^{}]*\}"
)
_STYLED = re.compile(
    r"\\(?:math\w+|text\w*|operatorname\*?|boldsymbol|bm|mbox|ensuremath|hat|bar|vec|tilde|dot|overline|underline)\s*"
    r"\{([^{}]*)\}"
)
_SCRIPT = re.compile(r"([\^_])\s*\{\s*([^{}()\s][^{}()]{1,300}?)\s*\}")
_DEGREE = re.compile(r"\^\s*(?:\\circ(?![a-zA-Z])|\{\s*\\circ\s*\})")
_COMMAND = re.compile(r"\\([a-zA-Z]+)\*?")


def accented(accent: str, letter: str) -> str:
    letter = {"\\i": "i", "\\j": "j"}.get(letter.strip(), letter.strip())
    if not letter:
        return accent if accent in "^~" else ""
    return unicodedata.normalize("NFC", letter[0] + ACCENTS[accent]) + letter[1:]


def mathematics(source: str) -> str:
    """A formula in one line: Greek letters and symbols as characters, `a/b` for a fraction, no braces or spacing."""
    text = _DEGREE.sub("°", source)
    for _ in range(4):
        text = _STYLED.sub(r"\1", _ROOT.sub(r"√(\1)", _FRACTION.sub(_fraction, text)))
    text = _SILENT.sub("", text)
    text = re.sub(r"\\\\(?:\[[^\]]*\])?", "\n", text).replace("&", " ")
    text = re.sub(r"\\[,;:! ]", " ", text).replace("~", " ")
    text = re.sub(r"\\([{}%$#_|])", lambda found: {"{": "\x01", "}": "\x02"}.get(found[1], found[1]), text)
    text = _COMMAND.sub(lambda found: _SYMBOLS.get(found[1], found[1]), text)
    text = _SCRIPT.sub(lambda found: found[0] if found[2].isalnum() else f"{found[1]}({found[2]})", text)
    text = re.sub(r"[{}]", "", text).replace("\x01", "{").replace("\x02", "}")
    return "\n".join(" ".join(line.split()) for line in text.split("\n") if line.strip())


def _fraction(found: re.Match[str]) -> str:
    above, below = (
        part if len(part.strip()) == 1 or part.strip().isalnum() else f"({part})" for part in found.groups()
    )
    return f"{above}/{below}"
