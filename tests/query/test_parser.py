"""The query language: each form, and what is only words."""

import random
import re
from datetime import date

import pytest

from semantik.query import Clause, ParsedQuery, QueryFilters, parse


def words(*texts: str) -> tuple[Clause, ...]:
    return tuple(Clause(text) for text in texts)


def phrase(text: str) -> Clause:
    return Clause(text, phrase=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("boiler pressure", ParsedQuery("", "boiler pressure", words("boiler", "pressure"))),
        ('"boiler room" key', ParsedQuery("", "boiler room key", words("key"), ((phrase("boiler room"),),))),
        ("boiler -gas", ParsedQuery("", "boiler", words("boiler"), (), words("gas"))),
        ('boiler -"gas line"', ParsedQuery("", "boiler", words("boiler"), (), (phrase("gas line"),))),
        ("valve OR tap leak", ParsedQuery("", "valve tap leak", words("leak"), (words("valve", "tap"),))),
        ('"a b" OR c OR d', ParsedQuery("", "a b c d", (), ((phrase("a b"), *words("c", "d")),))),
        ("a OR OR b", ParsedQuery("", "a b", (), (words("a", "b"),))),
        ("a OR b c OR d", ParsedQuery("", "a b c d", (), (words("a", "b"), words("c", "d")))),
        ("boil* water", ParsedQuery("", "boil water", (Clause("boil", prefix=True), *words("water")))),
        ("a -boil*", ParsedQuery("", "a", words("a"), (), (Clause("boil", prefix=True),))),
    ],
)
def test_words_and_phrases(text: str, expected: ParsedQuery) -> None:
    found = parse(text)
    assert found == ParsedQuery(text, *(getattr(expected, name) for name in expected.__slots__[1:]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("title:valve", QueryFilters(title=(("valve",),))),
        ('Title:"Gas valve"', QueryFilters(title=(("Gas valve",),))),
        ("title:valve title:gas", QueryFilters(title=(("valve",), ("gas",)))),
        ("path:a OR path:b", QueryFilters(path=(("a", "b"),))),
        (r"path:C:\notes", QueryFilters(path=((r"C:\notes",),))),
        ("path:/", QueryFilters(path=(("/",),))),
        ("type:pdf type:.xyz,word", QueryFilters(types=("pdf", ".xyz", "word"))),
        ("lang:de,French", QueryFilters(languages=("de", "fr"))),
        ("is:recognised", QueryFilters(recognised=True)),
        ("-is:Recognized", QueryFilters(recognised=False)),
        ('in:"Old letters" in:b', QueryFilters(collections=("Old letters", "b"))),
        ("after:2025", QueryFilters(after=date(2025, 1, 1))),
        ("after:2025-03 after:2024", QueryFilters(after=date(2025, 3, 1))),
        ("before:2025/3/9", QueryFilters(before=date(2025, 3, 9))),
        ("before:9.3.2025", QueryFilters(before=date(2025, 3, 9))),
        ("-after:2025", QueryFilters(before=date(2025, 1, 1))),
        ("-before:2025", QueryFilters(after=date(2025, 1, 1))),
        ("-title:a -path:b -type:pdf -lang:de -in:c", QueryFilters(
            not_title=("a",), not_path=("b",), not_types=("pdf",), not_languages=("de",), not_collections=("c",)
        )),
        ("title：阀门", QueryFilters(title=(("阀门",),))),
    ],
)  # fmt: skip
def test_filters(text: str, expected: QueryFilters) -> None:
    assert parse(text) == ParsedQuery(text, "", filters=expected)
    with_word = parse(f"{text} boiler")
    assert (with_word.filters, with_word.plain, with_word.optional) == (expected, "boiler", words("boiler"))


@pytest.mark.parametrize(
    "text",
    [
        "foo:bar", "https://example.org/a?b=c:d#-e", "C++ or C#", "at 12:30", r"C:\Users\ilse\a.txt", "a - b", "-",
        "--", "OR", "OR a", "a OR", "a or b", "--verbose", "-Xmx512m", "well-known", "5' and 6\" long", "title:",
        "title: boiler", "type:string", "after:soon", "after:2025-02-30", "before:0000", "lang:klingon", "path:", "in:",
        "-title:", "don't",
        "rock 'n' roll", "a & b", "x*y", "*", "**bold**", "(a) [b] {c}", "?", "a\\", "50%", "#tag @name",
    ],
)  # fmt: skip
def test_anything_else_is_plain_words(text: str) -> None:
    found = parse(text)
    assert (found.plain, found.required, found.excluded, found.filters) == (text, (), (), QueryFilters())


@pytest.mark.parametrize(
    ("text", "plain", "phrases"),
    [
        ("“boiler room” key", "boiler room key", ["boiler room"]),
        ("„Kessel Raum“ und", "Kessel Raum und", ["Kessel Raum"]),
        ("«chaudière à gaz» «au sol»", "chaudière à gaz au sol", ["chaudière à gaz", "au sol"]),
        ("»Kessel Raum«", "Kessel Raum", ["Kessel Raum"]),
        ("”pannrum nu”", "pannrum nu", ["pannrum nu"]),
        ("「給湯 器」の", "給湯 器 の", ["給湯 器"]),
        ("搜索“锅炉”房", "搜索 锅炉 房", ["锅炉"]),
        ('"a  b', "a b", []),
        ('"a b" "c', "a b c", ["a b"]),
        ("“a b", "a b", []),
        ('("a b" OR c).', "a b c).", ["a b"]),
        ('"" a', "a", []),
        ('"?" a', "a", []),
    ],
)
def test_quotes(text: str, plain: str, phrases: list[str]) -> None:
    found = parse(text)
    assert found.plain == plain
    assert [each.text for group in found.required for each in group if each.phrase] == phrases


def test_filters_make_no_sentence_of_a_phrase() -> None:
    filters = (
        'author:"=Somebody With A Long Name" path:"/srv/documents/of/the/house/*" after:2024 before:2025'
    )
    assert parse(f'"KX-5519" {filters}').required == ((Clause("KX-5519", phrase=True),),)


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("Wer hat im Sommer die Schrift »Der alte Kessel« an das Archiv gegeben?", []),
        ('Why does the display of the boiler say "reset" after each power cut?', []),
        ('Who wrote the note about "the old boiler room" and when was that?', ["the old boiler room"]),
        ("Wann wurde das Heft „Der alte Kessel“ an das Archiv in Lund gegeben?", ["Der alte Kessel"]),
        ("which of these says «reset» OR «restart» in the part on power cuts", ["reset", "restart"]),
        ('the display says "reset"', ["reset"]),
    ],
)
def test_quotes_in_a_sentence_are_no_phrases_unless_they_hold_several_words(
    text: str, phrases: list[str]
) -> None:
    found = parse(text)
    assert [each.text for group in found.required for each in group if each.phrase] == phrases
    searched = " ".join(each.text for each in (*found.optional, *(c for g in found.required for c in g)))
    assert all(word in searched for word in re.findall(r"\w+", text.replace("OR", "")))


@pytest.mark.parametrize(
    ("text", "excluded"),
    [
        ("Leser und -Schreiber", []),
        ("An- und -Abfahrt der Busse", []),
        ("читатели и -писатели", []),
        ("boiler AND -gas", ["gas"]),
        ('valve and -"gas line"', ["gas line"]),
        ("Kessel und Brenner -Gas", ["Gas"]),
    ],
)
def test_a_hyphen_after_a_conjunction_excludes_nothing(text: str, excluded: list[str]) -> None:
    found = parse(text)
    assert [each.text for each in found.excluded] == excluded
    assert parse("reports and -type:pdf").filters.not_types == ("pdf",)
    if not excluded:
        assert found.plain == text


def test_a_query_of_filters_and_exclusions_has_no_words() -> None:
    found = parse("type:pdf -draft")
    assert found.only_filters
    assert found.excluded == words("draft")


def test_random_texts_are_read_without_loss() -> None:
    """Whatever is typed: no error, no empty query, and each letter is in the words, in the filters or excluded."""
    rng = random.Random(17)
    atoms = [
        "OR",
        "-",
        '"',
        "“",
        "„",
        "«",
        "」",
        "title:",
        "type:",
        "pdf",
        "after:",
        "2025",
        "lang:",
        "de",
        "in:",
        "path:",
    ]
    atoms += [
        "*",
        ":",
        "(",
        ")",
        "\\",
        "/",
        "'",
        "ab",
        "жук",
        "热泵",
        "é",
        "\0",
        "\ud800",
        "\u3000",
        "\n",
        " ",
        " ",
        " ",
    ]
    for _ in range(20_000):
        text = "".join(rng.choices(atoms, k=rng.randint(0, 12)))
        found = parse(text)
        assert found.source == text
        assert found.plain or found.filters.any or not text.strip(), text
        seen = repr(found.filters) + found.plain + repr(found.excluded)
        for letters in ("ab", "жук", "热泵"):
            assert letters not in text or letters in seen, text


def test_long_queries_are_read_quickly() -> None:
    for text in ("「" * 10_000, '"a ' * 3300, "„a“" * 3300, "a OR " * 2000, "-" * 10_000, "title:“" * 1400):
        assert parse(text).source == text


@pytest.mark.parametrize(
    "text", ["-18 °C", "freezer -18 °C", "freezer −18", "shares -5 %", "-1073741819 violation"]
)
def test_a_minus_may_be_that_of_a_number(text: str) -> None:
    found = parse(text)
    assert not found.excluded
    assert found.plain == text


def test_a_number_may_be_excluded() -> None:
    assert parse("reports -2019").excluded == words("2019")


@pytest.mark.parametrize("text", ["rain bar-\nrel", "rain bar- \r\n  rel", "rain bar\u00ad\nrel"])
def test_a_word_that_a_line_breaks_is_one_word(text: str) -> None:
    assert parse(text).optional == words("rain", "barrel")


def test_plain_words_side_by_side_are_scored_as_one_text() -> None:
    assert parse("31 January 2026").scored == words("31 January 2026")
    found = parse('a "b c" d e* f g OR h')
    assert found.scored == (
        phrase("b c"), *words("g", "h"), Clause("a d"), Clause("e", prefix=True), Clause("f"),
    )  # fmt: skip
