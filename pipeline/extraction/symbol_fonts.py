"""Characters of symbol fonts, whose codes mean other signs than in any other font. Pure; knows no format."""

from __future__ import annotations

# Adobe's Symbol encoding, from 0x20; a space stands for codes without a sign of their own in Unicode.
_SYMBOL_LOW = (
    " !∀#∃%&∋()∗+,−./0123456789:;<=>?≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_ αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼"
)
_SYMBOL_HIGH = (
    "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…⏐⎯↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊〈®©™∑⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪ 〉∫⌠⎮⌡⎞⎟⎠⎤⎥⎦⎫⎬⎭ "
)
_SYMBOL = {
    **dict(enumerate(_SYMBOL_LOW, 0x20)),
    **dict(enumerate(_SYMBOL_HIGH, 0xA0)),
}
_WINGDINGS = {
    0x22: "✂", 0x28: "☎", 0x29: "✆", 0x2A: "✉", 0x36: "⌛", 0x3F: "✍", 0x41: "✌", 0x43: "👍", 0x44: "👎",
    0x45: "☜", 0x46: "☞", 0x47: "☝", 0x48: "☟", 0x4A: "☺", 0x4C: "☹", 0x6C: "●", 0x6E: "■", 0x6F: "□",
    0x71: "❑", 0x72: "❒", 0x74: "⧫", 0x75: "◆", 0x76: "❖", 0x77: "⬥", 0x9F: "•", 0xA1: "○", 0xA7: "▪",
    0xA8: "☐", 0xD8: "➢", 0xDC: "➲", 0xDF: "←", 0xE0: "→", 0xE1: "↑", 0xE2: "↓", 0xE8: "➔", 0xEF: "⇦",
    0xF0: "⇨", 0xF1: "⇧", 0xF2: "⇩", 0xFB: "✗", 0xFC: "✓", 0xFD: "☒", 0xFE: "☑", 0x4E: "☠", 0x52: "☼",
    **{0x80 + digit: chr(0x2460 + digit - 1) for digit in range(1, 11)}, 0x80: "⓪",
    **{0x8B + digit: chr(0x2776 + digit - 1) for digit in range(1, 11)}, 0x8B: "⓿",
}  # fmt: skip
_WINGDINGS_2 = {0x4F: "✗", 0x50: "✓", 0x51: "☒", 0x52: "☑", 0x53: "☒", 0x54: "☒", 0xA3: "☐", 0x97: "●"}
_FONTS = {
    "symbol": _SYMBOL, "symbol type": _SYMBOL, "standardsymbolsps": _SYMBOL, "opensymbol": {},
    "wingdings": _WINGDINGS, "wingdings 2": _WINGDINGS_2, "wingdings 3": {}, "webdings": {}, "zapfdingbats": {},
}  # fmt: skip


def is_symbol_font(font: str) -> bool:
    return font.casefold() in _FONTS


def character(code: int, font: str) -> str:
    """The sign that `font` shows for a code, which may stand in the private area (F020 to F0FF); empty if unknown."""
    table = _FONTS.get(font.casefold())
    low = code - 0xF000 if 0xF000 <= code <= 0xF0FF else code
    if table is not None:
        return table.get(low, "")
    if code != low or not 0 < code < 0x110000 or 0xD800 <= code < 0xE000:
        return ""
    return chr(code)


def text_in(font: str, text: str) -> str:
    """A text as a symbol font shows it; any other font's text without codes of the private area for symbols."""
    if is_symbol_font(font):
        return "".join(character(ord(each), font) for each in text)
    if any("\uf000" <= each <= "\uf0ff" for each in text):
        return "".join(each for each in text if not "\uf000" <= each <= "\uf0ff")
    return text
