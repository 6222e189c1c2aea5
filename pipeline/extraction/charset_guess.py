"""Guesses the charset of a text that declares none, from the letters that languages write. Pure.

For short texts, where statistics of bytes fail: a subject of ten characters, a line of a message.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_SAMPLE = 4096  # bytes from the first one beyond ASCII
_SURE = 0.55  # of 1: a lower score is no guess

# The letters of a language beyond those of English, by the codecs that its texts may be in.
_LATIN: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (
        ("cp1252",),
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
# The characters that are most frequent in each language; they tell Korean from Chinese where both would fit.
_FREQUENT = {
    "gb18030": (
        "的一是不了在人有我他这中大来上国个到说们为子和你地出会也时要就可以对生能而那得于着下自之年过发后"
        "作里用道行所然家事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只"
        "从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战"
        "向头文体政美相见被利什二等产新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东"
        "声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再"
        "感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光"
        "放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院"
        "让识候带导争运笔房您请钥匙阀议星"
    ),
    "cp950": (
        "的一是不了在人有我他這中大來上國個到說們為子和你地出會也時要就可以對生能而那得於著下自之年過發後"
        "作裡用道行所然家事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心她本前開但因只"
        "從想實日軍者意無力它與長把機十民第公此已工使情明性知全三又關點正業外將兩高間由問很最重並物手應戰"
        "向頭文體政美相見被利什二等產新己制身果加西斯月話合回特代內信表化老給世位次度門任常先海通教兒原東"
        "聲提立及比員解水名真論處走義各入幾口認條平系氣題活爾更別打女變四神總何電數安少報才結反受目太量再"
        "感建務做接必場件計管期市直德資命山金指克許統區保至隊形社便空決治展馬科司五基眼書非則聽白卻界達光"
        "放強即像難且權思王象完設式色路記南品住告類求據程北邊死張該交規萬取您請鑰匙閥議星"
    ),
    "cp949": (
        "이다는에의을하가고지기로를사은도한리시인어자정서대수나해아라일전부있과제보그만구원들장여비주스상"
        "유공소안성조동무입니습것세요경면적우중국관화선위된년회신개않으내치생당문음때모오마행게물학실계연"
        "업더할방용발달건진저분재였미양른받불간통명심드르트었했겠합까감녕녀월목금토렇"
    ),
}
_FREQUENT_SETS = {name: frozenset(letters) for name, letters in _FREQUENT.items()}
# A mark above or below nothing.
_NO_THAI = re.compile("(?<![\u0e01-\u0e2e\u0e31-\u0e3a\u0e47-\u0e4e])[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]")
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
_WORD = re.compile(r"[^\W\d_]+")


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
        if len(word) > 2 and sum(letter > "\x7f" for letter in word) * 2 > len(word):
            strange += len(word)
    score = (0.85 * max(shares) - strange) / len(accented)
    letters = [letter for letter in text.lower() if "a" <= letter <= "z"]
    eastern = sum(letter in "wyz" for letter in letters) > 0.05 * max(20, len(letters))
    turkish = codec == "cp1254" and not set(text) & set("áíæóúéÁÍÆÓÚÉ") and set(text) & set("ğışİ")
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
    return score - (0.3 if capitals else 0.0) - (0.5 if longest < 3 else 0.0)


def _east_asian(text: str, codec: str) -> float:
    """How much of a text consists of frequent characters, from 0 to a little above 1."""
    beyond = [each for each in text if each > "\x7f" and each not in "。、，：；！？（）「」　·・ー"]
    if not beyond:
        return 0.0
    if codec in ("cp932", "euc_jp"):
        kana = sum("\u3041" <= each <= "\u30ff" for each in beyond)
        narrow = sum("\uff61" <= each <= "\uff9f" for each in beyond)
        kanji = sum("\u4e00" <= each <= "\u9fff" for each in beyond)
        if not kana:
            return 0.0 if kanji < len(beyond) else 0.4
        return (1.1 * kana + 0.8 * kanji + (-1.5 if narrow > 2 * kana else 0.7) * narrow) / len(beyond)
    frequent = sum(each in _FREQUENT_SETS[codec] for each in beyond)
    own = ("\uac00", "\ud7a3") if codec == "cp949" else ("\u4e00", "\u9fff")
    expected = sum(own[0] <= each <= own[1] for each in beyond)
    return (expected + 2 * frequent - 2 * (len(beyond) - expected)) / (2.5 * len(beyond))
