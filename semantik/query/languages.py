"""Names of languages and their ISO 639-1 codes, as people write them after `lang:`. Pure."""

from __future__ import annotations

import re

# All two-letter codes of ISO 639-1.
_ALL = (
    "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de "
    "dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id "
    "ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu "
    "lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu "
    "rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr "
    "ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu"
)
_CODES = frozenset(_ALL.split())
_CODE = re.compile(r"([a-z]{2})(?:[-_][a-z0-9]{2,8})*")
# English names, then the languages' own.
_NAMES = {
    name: code
    for code, names in {
        "ar": "arabic العربية", "bg": "bulgarian български", "ca": "catalan català", "cs": "czech čeština",
        "da": "danish dansk", "de": "german deutsch", "el": "greek ελληνικά", "en": "english",
        "es": "spanish español espanol castellano", "et": "estonian eesti", "fa": "persian farsi فارسی",
        "fi": "finnish suomi", "fr": "french français francais", "he": "hebrew עברית", "hi": "hindi हिन्दी",
        "hr": "croatian hrvatski", "hu": "hungarian magyar", "id": "indonesian", "it": "italian italiano",
        "ja": "japanese 日本語", "ko": "korean 한국어", "lt": "lithuanian lietuvių", "lv": "latvian latviešu",
        "nl": "dutch nederlands", "no": "norwegian norsk", "pl": "polish polski",
        "pt": "portuguese português portugues",
        "ro": "romanian română", "ru": "russian русский", "sk": "slovak slovenčina", "sl": "slovene slovenian",
        "sr": "serbian српски", "sv": "swedish svenska", "th": "thai ไทย", "tr": "turkish türkçe",
        "uk": "ukrainian українська", "vi": "vietnamese", "zh": "chinese 中文 汉语",
    }.items()
    for name in names.split()
}  # fmt: skip


def language_code(name: str) -> str | None:
    """The code of a language that is given by it (`de`, `de-AT`) or by its name; None for anything else."""
    plain = name.strip().lower()
    found = _CODE.fullmatch(plain)
    code = found[1] if found else ""
    return _NAMES.get(plain) or (code if code in _CODES else None)
