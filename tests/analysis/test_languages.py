"""The language of texts, by table, and None where nothing can be said."""

from __future__ import annotations

import pytest

from semantik.analysis import detect_language, likely_languages

TEXTS = {
    "en": "The lamp of the old harbour is lit when the boats have not come back by the evening.",
    "de": "Die Lampe des alten Hafens wird angezündet, wenn die Boote am Abend noch nicht zurück sind.",
    "fr": "La lampe du vieux port est allumée quand les bateaux ne sont pas rentrés le soir.",
    "es": "La lámpara del puerto viejo se enciende cuando los barcos no han vuelto por la noche.",
    "it": "La lampada del vecchio porto viene accesa quando le barche non sono tornate la sera.",
    "pt": "A lâmpada do porto velho é acesa quando os barcos não voltaram até à noite.",
    "nl": "De lamp van de oude haven wordt aangestoken als de boten 's avonds nog niet terug zijn.",
    "sv": "Lampan i den gamla hamnen tänds när båtarna inte har kommit tillbaka på kvällen.",
    "pl": "Lampa w starym porcie jest zapalana, gdy łodzie nie wróciły do wieczora.",
    "cs": "Lampa ve starém přístavu se rozsvítí, když se lodě do večera nevrátí.",
    "fi": "Vanhan sataman lamppu sytytetään, kun veneet eivät ole palanneet illalla, ja se on kirkas.",
    "tr": "Eski limanın lambası, tekneler akşama kadar dönmediği için yakılır ve bu çok önemli.",
    "hu": "A régi kikötő lámpáját akkor gyújtják meg, ha a hajók még nem tértek vissza, és ez így van.",
    "ru": "Лампу старой гавани зажигают, когда лодки не вернулись к вечеру, и это видно всем.",
    "uk": "Лампу старої гавані запалюють, коли човни не повернулися до вечора, і це видно всім.",
    "el": "Το φανάρι του παλιού λιμανιού ανάβει το βράδυ.",
    "ar": "يضاء مصباح الميناء القديم عندما لا تعود القوارب في المساء",
    "fa": "چراغ بندر قدیمی وقتی روشن می‌شود که قایق‌ها برنگشته باشند و این را همه می‌دانند",
    "he": "הפנס של הנמל הישן נדלק בערב",
    "zh": "船在晚上还没有回来的时候，旧港口的灯就会点亮。",
    "ja": "夕方までに船が戻らないとき、古い港の灯りがともされる。",
    "ko": "저녁까지 배가 돌아오지 않으면 옛 항구의 등불이 켜진다.",
    "th": "โคมไฟของท่าเรือเก่าจะสว่างขึ้นเมื่อเรือยังไม่กลับมา",
    "hi": "पुराने बंदरगाह का दीपक तब जलाया जाता है जब नावें शाम तक नहीं लौटती हैं।",
}  # fmt: skip


@pytest.mark.parametrize("language", TEXTS)
def test_a_sentence_tells_its_language(language: str) -> None:
    assert detect_language(TEXTS[language]) == language


@pytest.mark.parametrize(
    "text", ["", "  \n", "12.5 %", "KX-5519", "lantern", "foo bar baz", "Harbour Lantern Ltd"]
)
def test_too_little_tells_none(text: str) -> None:
    assert detect_language(text) is None


def test_mixed_japanese_is_japanese_and_not_latin_by_its_names() -> None:
    assert detect_language("Semantik は文書を検索する server です。Redis と MongoDB を使います。") == "ja"


@pytest.mark.parametrize(
    ("question", "languages"),
    [
        ("lantern", ("en",)),
        ("KX-5519", ("en",)),
        ("", ("en",)),
        ("лампа гавани", ("ru",)),
        ("λιμάνι", ("el",)),
        ("Wörterbuch", ("de",)),
        ("wo ist die Lampe", ("de",)),
        ("où est la lampe", ("fr",)),
        ("मिट्टी", ("hi",)),
    ],
)
def test_a_question_of_few_words_has_a_likely_language(question: str, languages: tuple[str, ...]) -> None:
    assert likely_languages(question) == languages
