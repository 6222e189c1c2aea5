"""Guesses the charset of a text that declares none, from the letters that languages write. Pure.

For short texts, where statistics of bytes fail: a subject of ten characters, a line of a message.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.extraction.frequent_characters import FREQUENT

_SAMPLE = 4096  # bytes from the first one beyond ASCII
_SURE = 0.55  # of 1: a lower score is no guess

# The letters of a language beyond those of English, by the codecs that its texts may be in.
_LATIN: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (
        ("cp1252", "cp850", "mac_roman"),
        (
            "äöüß",
            "éèêëàâçùûôîïœæ",
            "áéíóúñü",
            "ãõáéíóúâêôçà",
            "àèéìòù",
            "æøåé",
            "åäöé",
            "éëïöü",
            "ðþæöáéíóúý",
        ),
    ),
    (
        ("cp1250", "iso8859_2"),
        ("ěščřžýáíéůúďťňó", "ľščťžýáíéäúňôďó", "ąćęłńóśźż", "áéíóöőúüű", "ăâîşţ", "čćđšž", "äöüß"),
    ),
    (("cp1254",), ("çğıöşüâİ",)),
    (("cp1257",), ("ąčęėįšųūž", "āčēģīķļņšūž", "äöõüšž")),
)
_RUSSIAN = ("\u0400", "\u04ff", frozenset("оеаинтсрвлкмдпуязыьгбчі"))
_SCRIPTS = {
    "cp1251": _RUSSIAN, "koi8_r": _RUSSIAN, "cp866": _RUSSIAN,
    "cp1253": ("\u0370", "\u03ff", frozenset("αοιετσνηυρπκμλςωάέήίόύώ")),
    "cp1255": ("\u0590", "\u05ff", frozenset("יוהלאמתרבשנכםדקחפעט")),
    "cp1256": ("\u0600", "\u06ff", frozenset("اليمونرتبةعدفهسكقحجأ")),
    "cp874": ("\u0e00", "\u0e7f", frozenset("านรอกเงมยลวดทสตะปบคหแจพชขใไโ่้ีัิ์ุู็ึืำ")),
}  # fmt: skip
# A mark above or below nothing.
_NO_THAI = re.compile("(?<![\u0e01-\u0e2e\u0e31-\u0e3a\u0e47-\u0e4e])[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]")
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
_WORD = re.compile(r"[^\W\d_]+")
_FOREIGN_MARK = "[^\\w\\s!-~\u00a0\u00ad\u00b7’‘–—ʼ]"
_MARK_IN_WORD = re.compile(
    f"(?<=[A-Za-zÀ-ž])(?:{_FOREIGN_MARK}|[ªº²³¹µπ])+(?=[a-zà-ž])|(?<!\\w)[ª©®¤¦¬¯±¶]+(?=[a-zà-ž])"
)


def guess(data: bytes) -> str | None:
    """The codec that reads the text as a language; None where no one is likely, or all is ASCII."""
    found = _BEYOND_ASCII.search(data)
    if found is None:
        return None
    start = found.start()
    # A word or a character that is cut off would count against its charset.
    sample = data[max(0, start - 64) : start + _SAMPLE]
    if len(sample) < len(data):
        sample = re.sub(rb"\A[!-~]+|[\x80-\xff]{1,60}\Z", b"", sample)
    scores = dict(_scores(sample))
    best = max(scores, key=lambda codec: scores[codec], default=None)
    return best if best is not None and scores[best] >= _SURE else None


def _scores(sample: bytes) -> list[tuple[str, float]]:
    scores = []
    for codecs, languages in _LATIN:
        scores += [
            (codec, _latin(text, codec, languages)) for codec in codecs if (text := _decoded(sample, codec))
        ]
    for codec in _SCRIPTS:
        if text := _decoded(sample, codec):
            scores.append((codec, _script(text, codec)))
    for codec in ("gb18030", "cp950", "cp932", "euc_jp", "cp949"):
        if text := _decoded(sample, codec):
            scores.append((codec, _east_asian(text, codec)))
    return scores


def _decoded(sample: bytes, codec: str) -> str | None:
    try:
        text = sample.decode(codec)
    except UnicodeDecodeError:
        return None
    return None if any("\x7f" <= character < "\xa0" for character in text) else text


def _beyond_ascii(text: str) -> list[str]:
    return [character for character in text if character > "\x7f" and character not in " “”„‘’‚–—…«»©®°§€•"]


def marks_in_words(text: str) -> int:
    """How many signs stand between two letters, where no language has them: "Stra§e", "K”ln"."""
    return len(_MARK_IN_WORD.findall(text))


def _latin(text: str, codec: str, languages: Sequence[str]) -> float:
    """The share of the accented letters that the best language has; words of nothing else count against it.

    Western Europe is the most likely, unless the other letters are those of Slavic languages, Hungarian and Turkish.
    """
    # In ISO 8859-2 the quotes of Western Europe are a letter that is rare.
    accented = _beyond_ascii(text if codec != "iso8859_2" else text.replace("Ť", "¿").replace("ť", "¿"))
    if not accented:
        return 0.9 if codec == "cp1252" else 0.5
    shares = (sum(letter in known or letter.lower() in known for letter in accented) for known in languages)
    strange = 0
    for word in _WORD.findall(text):
        if len(word) > 2 and sum(letter > "\x7f" for letter in word) * 5 > len(word) * 4:
            strange += len(word)
    strange += 2 * marks_in_words(text)
    score = (0.85 * max(shares) - strange) / len(accented)
    letters = [letter for letter in text.lower() if "a" <= letter <= "z"]
    eastern = sum(letter in "wyz" for letter in letters) > 0.05 * max(20, len(letters))
    turkish = codec == "cp1254" and not set(text) & set("áíæóúéÁÍÆÓÚÉ") and set(text) & set("ğışİ")
    if codec in ("cp850", "mac_roman"):
        return score - 0.15  # rare by now
    return score + (
        0.06 if codec == "cp1252" else 0.1 if turkish else 0.08 if eastern and codec != "cp1254" else 0.0
    )


def _script(text: str, codec: str) -> float:
    """The share of letters of a script, more for frequent ones.

    Words that mix it with ASCII, have capitals in the middle, or are of one letter only, count against it.
    """
    first, last, frequent = _SCRIPTS[codec]
    beyond = _beyond_ascii(text)
    if not beyond:
        return 0.0
    faults = len(re.findall(f"[A-Za-z][{first}-{last}]|[{first}-{last}][A-Za-z]", text))
    if codec == "cp874":
        faults += len(_NO_THAI.findall(text))
    words = re.findall(f"[{first}-{last}]+", text)
    longest = max(map(len, words), default=0)
    for word in words:
        if word != word.upper() and word[1:] != word[1:].lower():
            faults += len(word)
    capitals = all(word == word.upper() != word.lower() for word in words) and longest > 2
    inside = sum(first <= letter <= last for letter in beyond)
    usual = sum(letter.lower() in frequent for letter in beyond)
    score = (0.5 * inside + 0.5 * usual - 2 * faults) / len(beyond)
    return score - (0.12 if capitals else 0.0) - (0.5 if longest < 3 else 0.0)


def _east_asian(text: str, codec: str) -> float:
    """How much of a text consists of frequent characters, from 0 to a little above 1."""
    beyond = [each for each in text if each > "\x7f" and each not in "。、，：；！？（）「」　·・ー"]
    if not beyond:
        return 0.0
    kana = sum("\u3041" <= each <= "\u30ff" for each in beyond)
    if codec in ("cp932", "euc_jp") and (kana or any("\uff61" <= each <= "\uff9f" for each in beyond)):
        return _with_kana(beyond, kana, codec)
    frequent = sum(each in FREQUENT[codec] for each in beyond)
    own = ("\uac00", "\ud7a3") if codec == "cp949" else ("\u4e00", "\u9fff")
    expected = sum(own[0] <= each <= own[1] for each in beyond)
    return (expected + 2 * frequent - 2 * (len(beyond) - expected)) / (2.5 * len(beyond))


def _with_kana(beyond: Sequence[str], kana: int, codec: str) -> float:
    """Halfwidth kana are one byte each, as the letters of other charsets are: usual kanji must stand beside them."""
    narrow = sum("\uff61" <= each <= "\uff9f" for each in beyond)
    kanji = [each for each in beyond if "\u4e00" <= each <= "\u9fff"]
    usual = sum(each in FREQUENT[codec] for each in kanji)
    if not kana and (len(kanji) < 2 or usual * 2 < len(kanji)):
        return 0.0
    weight = -1.5 if narrow > 2 * kana and usual * 2 < len(kanji) else 0.7
    return (1.1 * kana + 0.8 * len(kanji) + weight * narrow) / len(beyond)
