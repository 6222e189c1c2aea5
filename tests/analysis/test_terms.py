"""What is stored of a text, by table: its words, what finds them in other forms, and the wholes."""

from __future__ import annotations

import random

import pytest

from semantik.analysis import Terms, query_words, terms, tokens

TABLE = [
    # plain words, in any case and script
    ("The lantern burned.", "the lantern burned", "burn", ""),
    ("LANTERNS", "lanterns", "lantern", ""),
    ("Müller", "muller", "", "müller"),
    ("Straße", "strasse", "strass", "straße"),
    ("re\u00adfriger\u00adator", "refrigerator", "refriger", ""),
    ("o\ufb03ce", "office", "offic", ""),
    # compounds and identifiers: in parts, without their signs, and whole
    ("foo_bar", "foo bar", "foobar", "foo_bar"),
    ("fooBar", "foobar", "foo bar", ""),
    ("HTTPServer", "httpserver", "http server", ""),
    ("v1.2.3", "v1 2 3", "v123", "v1.2.3 1.2.3"),
    ("C++", "c", "", "c++"),
    ("(C#),", "c", "", "c#"),
    (".NET", "net", "", ".net"),
    ("KX-5519", "kx 5519", "kx5519", "kx-5519"),
    ("KX5519", "kx5519", "kx 5519", ""),
    ("978-3-16-148410-0", "978 3 16 148410 0", "9783161484100", "978-3-16-148410-0"),
    ("00:1A:2B:3C:4D:5E", "00 1a 2b 3c 4d 5e", "001a2b3c4d5e 1 5", "00:1a:2b:3c:4d:5e"),
    ("001A2B3C4D5E", "001a2b3c4d5e", "", ""),
    ("192.168.178.12", "192 168 178 12", "19216817812", "192.168.178.12"),
    ("DE75512108001245126199", "de75512108001245126199", "75512108001245126199", ""),
    ("DE89 3704 0044 0532 0130 00", "de89 3704 0044 0532 0130 00", "de 89 de89370400440532013000", ""),
    ("GB29 NWBK 6016 1331 9268 19", "gb29 nwbk 6016 1331 9268 19", "gb 29 gb29nwbk60161331926819", ""),
    ("+49 (0) 30 12345", "49 0 30 12345", "493012345 03012345 3012345", ""),
    ("030 1234567\n030 7654321", "030 1234567 030 7654321",
     "0301234567 301234567 1234567 0307654321 307654321 7654321", ""),
    ("+493012345678", "493012345678", "93012345678 3012345678 012345678", ""),
    ("1234 5678 2345 6789 3456 7890 4567 8901 5678", "1234 5678 2345 6789 3456 7890 4567 8901 5678", "", ""),
    ("0555-1234", "0555 1234", "05551234 5551234", "0555-1234"),
    ("don't", "don t", "dont", "don't"),
    ("l'eau", "l eau", "", ""),
    ("AT&T", "at t", "att", "at&t"),
    ("U.S.A.", "u s a", "usa", "u.s.a"),
    ("D'Angelo", "d angelo", "dangelo", "d'angelo"),
    ("O`Brien", "o brien", "obrien", "o'brien"),
    ("сімʼя", "сім я", "сімя", "сім'я"),
    ("צה״ל", "צה ל", "צהל", "צה״ל"),
    ("__init__", "init", "", "__init__"),
    ("std::vector", "std vector", "stdvector", "std::vector"),
    ("ada@mail.example", "ada mail example", "adamailexample exampl", "ada@mail.example mail.example"),
    ("https://www.lamp.example/a/oil.html", "https www lamp example a oil html", "exampl",
     "lamp.example/a/oil.html lamp.example oil.html"),
    ("lamps/oil_2.txt", "lamps oil 2 txt", "lampsoil2txt lamp", "lamps/oil_2.txt oil_2.txt"),
    ("light-\nhouse", "light house", "hous lighthouse lighthous", ""),
    # numbers, times and dates in one form each
    ("1,234.50", "1234.5", "", "1,234.50"),
    ("1.234,50", "1234.5", "", "1.234,50"),
    ("1.234", "1.234", "1234", ""),
    ("12 345", "12 345", "12345", ""),
    ("25%", "25", "", "25%"),
    ("42.7%", "42.7", "", "42.7%"),
    ("1,234.5%", "1234.5", "", "1,234.5 1234.5%"),
    ("1.5km", "1.5 km", "", "1.5km"),
    ("42.7-43.5", "42.7 43.5", "", "42.7-43.5"),
    ("3,000-4,000", "3000 4000", "3 4", "3,000 3,000-4,000 4,000"),
    ("占42.7%的", "占 42.7 的", "", "占42.7"),
    ("1.2-rc1", "1.2 rc1", "rc 1", "1.2-rc1"),
    ("10.5.2", "10 5 2", "1052", "10.5.2"),
    ("report_2024.10.pdf", "report 2024 10 pdf", "report202410pdf", "report_2024.10.pdf"),
    ("25 percent", "25 percent", "", "25%"),
    ("2:30 pm", "2 30 pm", "230", "02:30 14:30"),
    ("14h30", "14h30", "14 30", "14:30"),
    ("21st", "21st", "21", ""),
    ("2026-01-31", "2026 01 31", "20260131", "2026-01-31 2026-01 --01-31"),
    ("31.01.2026", "31 01 2026", "31012026", "31.01.2026 2026-01-31 2026-01 --01-31"),
    ("January 31st, 2026", "january 31st 2026", "januari 31", "2026-01-31 2026-01 --01-31"),
    ("31 January 2026", "31 january 2026", "januari", "2026-01-31 2026-01 --01-31"),
    ("31-Jan-2026", "31 jan 2026", "31jan2026", "31-jan-2026 2026-01-31 2026-01 --01-31"),
    ("20260131", "20260131", "", "2026-01-31 2026-01 --01-31"),
    ("20261331", "20261331", "", ""),
    ("IMG_20260131_12.jpg", "img 20260131 12 jpg", "img2026013112jpg",
     "img_20260131_12.jpg 2026-01-31 2026-01 --01-31"),
    ("Μαρτίου 2016", "μαρτιου 2016", "", "μαρτίου 2016-03"),
    ("2014. október 23.", "2014 oktober 23", "oktob", "október 2014-10-23 2014-10 --10-23"),
    ("2026年1月31日", "2026 年 1 月 31 日", "", "2026-01-31 2026-01 --01-31"),
    # scripts without spaces
    ("手机", "手机", "手 机", ""),
    ("手", "手", "", ""),
    ("iPhone15手机", "iphone15 手机", "phone 15 手 机", ""),
    ("ｶﾞｿﾘﾝ", "ガソ ソリ リン", "ガ ソ リ ン", ""),
    ("हिन्दी गीज़र जाँच", "हिंदी गीजर जांच", "", "हिन्दी गीज़र जाँच"),
    ("학교에서", "학교 교에 에서", "학 교 에 서", ""),
    ("น้ำมัน", "น้ํา ามั มัน", "น้ํ า มั น", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words", "stems", "wholes"), TABLE)
def test_terms(text: str, words: str, stems: str, wholes: str) -> None:
    assert terms(text, "en") == Terms(words.split(), stems.split(), wholes.split())


@pytest.mark.parametrize("row", TABLE)
def test_tokens_are_the_words_of_terms(row: tuple[str, str, str, str]) -> None:
    assert [token.word for token in tokens(row[0])] == terms(row[0], None).words


def test_offsets_are_those_of_the_original_text() -> None:
    text = "ﬁne ｶﾞｿﾘﾝ a\u00adb １２"
    expected = ["ﬁne", "ｶﾞｿ", "ｿﾘ", "ﾘﾝ", "a\u00adb", "１２"]
    assert [text[each.start : each.end] for each in tokens(text)] == expected


def test_the_stem_is_that_of_the_language_and_found_with_and_without_accents() -> None:
    assert terms("książki", "pl").stems == ["ksiazk"]
    assert terms("реками", "ru").stems == ["рек"]
    assert terms("والكتاب", "ar").stems == terms("الكتاب", "ar").stems == ["كتاب"]
    assert terms("והמנורה", "he").stems == terms("המנורה", "he").stems == ["מנורה"]
    assert terms("הדוד", "he").stems == ["דוד"]
    assert terms("किताबें", "hi").stems == terms("किताब", "hi").stems or terms("किताबें", "hi").stems == ["किताब"]
    assert terms("wanderers", None).stems == []


def _forms(text: str, word: int = 0) -> set[tuple[str, str]]:
    return {(term.field, term.term) for term in query_words(text, ["en"])[word].terms}


@pytest.mark.parametrize(
    ("text", "words", "form"),
    [
        ("heat pump", 2, ("stems", "heatpump")),
        ("E 18", 2, ("words", "e18")),
        ("e-mail", 2, ("words", "email")),
        ("31 January 2026", 3, ("wholes", "2026-01-31")),
        ("12 345", 2, ("words", "12345")),
        ("020 7946 0958", 3, ("stems", "2079460958")),
        ("Mueller", 1, ("wholes", "müller")),
        ("Müller", 1, ("words", "mueller")),
        ("2.1", 1, ("wholes", "2.1")),
    ],
)
def test_each_word_of_a_question_is_found_by_what_it_is_part_of(
    text: str, words: int, form: tuple[str, str]
) -> None:
    assert len(query_words(text, ["en"])) == words
    assert all(form in _forms(text, word) for word in range(words))


@pytest.mark.parametrize("text", ["in door", "heat, pump", "3 4", "poet"])
def test_neighbours_that_are_no_word_together_stay_apart(text: str) -> None:
    joined = "".join(each for each in text if each.isalnum())
    assert not {("words", joined), ("words", "pot")} & (_forms(text) - {("words", text)})


def test_the_parts_of_a_joined_word_are_known() -> None:
    assert query_words("AB1234", ["en"])[0].parts == ("ab", "1234")
    assert query_words("getUserById", ["en"])[0].parts == ("get", "user", "by", "id")


def test_no_term_has_white_space_whatever_the_text() -> None:
    text = "a\u3000b\u2028c ¨ ´ ㎏ №5 ½ ﷺ \ud800 \u00a0 x\u200by 1 ,2 -- __ ... C++++ ''' 🙂"
    found = terms(text, "en")
    every = [*found.words, *found.stems, *found.wholes]
    assert all(each and not any(character.isspace() for character in each) for each in every)


def test_digits_that_are_newer_than_the_unicode_of_this_python_are_words() -> None:
    assert terms("\U00010d41\U00010d42", None).words == ["\U00010d41\U00010d42"]


def test_a_mark_that_stands_alone_is_a_word() -> None:
    assert terms("ـــ \u064b \u05b0", None).words == ["ـــ", "\u064b", "\u05b0"]


def test_texts_and_questions_have_the_same_words_whatever_the_characters() -> None:
    chance = random.Random(20)
    signs = [
        *" \n\t-_.,:'’&@/+#%0159abcXYZ",
        "\u00ad",
        "\u200b",
        "\u0301",
        "\ufe0f",
        "ﷺ",
        "㎏",
        "İ",
        "ß",
        "½",
    ]
    letters = [*"手机アー한글ภาษาที่ำअनुच्छेद", *(chr(chance.randrange(0x80, 0x30000)) for _ in range(200))]
    for _ in range(1500):
        text = "".join(chance.choice(chance.choice((signs, letters))) for _ in range(chance.randrange(1, 40)))
        found, stored = tokens(text), terms(text, chance.choice(["en", "ar", "he", "ru", None]))
        assert [each.word for each in found] == stored.words, text
        assert [each.word for each in query_words(text, ["en", "fr"])] == stored.words, text
        assert all(0 <= each.start < each.end <= len(text) for each in found), text
        every = [*stored.words, *stored.stems, *stored.wholes]
        assert all(each and not any(map(str.isspace, each)) for each in every), text


def test_repeated_calls_and_other_languages_in_between_change_nothing() -> None:
    text = "Burning lanterns, burning lamps: 31 January 2026."
    first = terms(text, "en")
    for language in ("de", "fr", "es", "ru", "fi", None):
        terms(text, language)
    assert terms(text, "en") == first
