"""The escape sequences of roff: fonts and sizes go, characters are named. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

# name, character, name, character, ...
_TABLE = """
    em —  en –  hy -  mi −  aq '  dq "  oq ‘  cq ’  lq “  rq ”  Bq „  bq ‚  Fo «  Fc »  fo ‹  fc ›  bu •
    co ©  rg ®  tm ™  de °  mu ×  di ÷  +- ±  >= ≥  <= ≤  != ≠  == ≡  ~~ ≈  -> →  <- ←  <> ↔  da ↓  ua ↑
    rs \\  sl /  ti ~  ha ^  ga `  at @  sh #  Do $  ba |  bv |  br |  or |  lB [  rB ]  lC {  rC }  la ⟨
    ra ⟩  ss ß  ae æ  AE Æ  oe œ  OE Œ  /o ø  /O Ø  oa å  oA Å  -D Ð  Sd ð  TP Þ  Tp þ  .i ı  r! ¡  r? ¿
    Eu €  eu €  Po £  Ye ¥  ct ¢  sc §  ps ¶  dg †  dd ‡  12 ½  14 ¼  34 ¾  S1 ¹  S2 ²  S3 ³  sq □  lh ☜
    rh ☞  if ∞  sr √  fm ′  sd ″  pl +  eq =  ** ∗  no ¬  pd ∂  is ∫  sum ∑  ci ○  ff ff  fi fi  fl fl
    Fi ffi  Fl ffl  *a α  *b β  *g γ  *d δ  *m μ  *p π  *s σ  *l λ  *w ω  OK ✓  ul _  rn ‾
"""
_NAMED = _TABLE.split()
_CHARACTERS = dict(zip(_NAMED[::2], _NAMED[1::2], strict=True))
_ACCENTS = {
    ":": "\u0308",
    "'": "\u0301",
    "`": "\u0300",
    "^": "\u0302",
    "~": "\u0303",
    ",": "\u0327",
    "o": "\u030a",
    "v": "\u030c",
}
_ARGUMENT = r"(?:'[^'\n]*'|\[[^\]\n]*\]|\([^\n]{2}|[^\n])"
_ESCAPE = re.compile(
    rf"\\(?:(?P<name>\((?P<two>[^\n]{{2}})|\[(?P<long>[^\]\n]*)\]|C'(?P<quoted>[^'\n]*)')"
    r"|\*(?P<string>\([^\n]{2}|\[[^\]\n]*\]|[^\n])"
    rf"|[fFgkmMnVY]{_ARGUMENT}|s[-+]?(?:'[^'\n]*'|\[[^\]\n]*\]|\([^\n]{{2}}|[1-3]\d|\d)|s[-+]\d?"
    r"|N'(?P<code>\d{1,7})'|[hvwlLbDopSxXzZABHR]'[^'\n]*'|[&%:/,)|^!?{}acdrtu]|\"[^\n]*|\#[^\n]*"
    r"|(?P<plain>[-\\e .'`~0_E\n])|(?P<other>[^\n]))"
)
_MORE = {
    "-": "-",
    "\\": "\\",
    "e": "\\",
    "E": "\\",
    " ": " ",
    ".": ".",
    "'": "´",
    "`": "`",
    "~": " ",
    "0": " ",
    "_": "_",
    "\n": "",
}


def plain(text: str, strings: Mapping[str, str]) -> str:
    """The text without escape sequences; `strings` are those that the document has defined."""
    if "\\" not in text:
        return text

    def replaced(found: re.Match[str]) -> str:
        if found["name"]:
            return character(found["two"] or found["long"] or found["quoted"] or "")
        if found["string"]:
            name = found["string"].strip("([]")
            return _ESCAPE.sub("", strings.get(name.split(" ")[0], ""))
        if found["code"]:
            return chr(int(found["code"])) if int(found["code"]) < 0x110000 else ""
        return _MORE.get(found["plain"] or "", "") or (found["other"] or "")

    return _ESCAPE.sub(replaced, text)


def character(name: str) -> str:
    """The character that `\\[name]` shows; empty for an unknown one."""
    if name in _CHARACTERS:
        return _CHARACTERS[name]
    if re.fullmatch(r"u[0-9A-F]{4,6}(?:_[0-9A-F]{4,6})*", name):
        codes = [int(part, 16) for part in name[1:].split("_")]
        if all(code < 0x110000 and not 0xD800 <= code < 0xE000 for code in codes):
            return unicodedata.normalize("NFC", "".join(map(chr, codes)))
    if len(name) == 2 and name[0] in _ACCENTS and name[1].isalpha():
        return unicodedata.normalize("NFC", name[1] + _ACCENTS[name[0]])
    return name[:1] if len(name) == 1 else ""
