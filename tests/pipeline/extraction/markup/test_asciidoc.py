"""AsciiDoc."""

# ruff: noqa: E501 - a source and its text in one line

from __future__ import annotations

import pytest

from pipeline.extraction.formats import detect
from pipeline.extraction.markup.asciidoc import AsciiDoc


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("= Gate\nMara Quill <m@x.example>\n:boat: Heron\n\nThe {boat} and {none}.", "# Gate\n\nMara Quill\n\nThe Heron and {none}."),
        ("== One & two\n\nOld title\n---------\n\nText.", "## One & two\n\n## Old title\n\nText."),
        ("*Bold* _it_ `mono` **un**bound H~2~O \"`so`\" a_b_c.", "Bold it mono unbound H₂O “so” a_b_c."),
        ("See <<gate,the gate>>, https://x.example[the site], link:a.html[a page^], xref:b.adoc[].", "See the gate, the site, a page, b.adoc."),
        (r"10^6^ cells, stem:[\frac{a}{b} \le x_{10}]", "10⁶ cells, a/b ≤ x_10"),
        ("Water.footnote:[From the *hill*.]", "Water. (From the hill.)"),
        ("Oakfootnote:[From the hill.] and {boat}footnote:[Hers.]", "Oak (From the hill.) and {boat} (Hers.)"),
        ("== Wheel ++<++ gear\n\nIn C++ or C++.", "## Wheel < gear\n\nIn C++ or C++."),
        ("`a++_++b` of ++[++1++]++, C++ and D++.", "a_b of [1], C++ and D++."),
        ("NOTE: Mind the\ngap.", "Note: Mind the gap."),
        ("[WARNING]\n====\nDo not jump.\n\n* one\n** two\n====", "Warning:\n\nDo not jump.\n\n- one\n\n- two"),
        ("[source,ruby]\n----\nputs 1 # <1>\n----\n<1> Prints.", "```ruby\nputs 1\n```\n\n<1> Prints."),
        ("....\nas is *x*\n....\n\n indented", "```\nas is *x*\n```\n\n```\n indented\n```"),
        ("ifdef::a[]\nhidden\nendif::[]\nifndef::a[]\nshown\nendif::[]\ninclude::secret.txt[]", "shown"),
        ("////\nsecret\n////\n// secret\nText.", "Text."),
        ("term:: meaning\nother::\n  its meaning", "- term: meaning\n\n- other: its meaning"),
        (".Prices\n[cols=\"1,2\",options=\"header\"]\n|===\n|Kind |Price\n\n|Adult\n|3 \\| 4\n|===", "Prices\n\n| Kind | Price |\n| --- | --- |\n| Adult | 3 | 4 |"),
        (",===\na,b\n1,2\n,===", "| a | b |\n| --- | --- |\n| 1 | 2 |"),
        ("image::gate.png[The old gate, 300]", "The old gate"),
        ("[quote, Mara]\n____\nSaid so.\n____", "Said so.\n\n— Mara"),
        ("[quote,Ole,'The *Log*']\nWe saw it.", "We saw it.\n\n— Ole, The Log"),
        ("[verse, Ole]\n____\none\n  two\n____", "one\ntwo\n\n— Ole"),
        ("|===\n|Kind|Price\n\n|Adult|3\n|===", "| Kind | Price |\n| --- | --- |\n| Adult | 3 |"),
        ("a&nbsp;b &#8212; c (C) &amp; d", "a\xa0b — c (C) & d".replace("\xa0", " ")),
    ],
)  # fmt: skip
def test_blocks(source: str, text: str) -> None:
    assert AsciiDoc(source).text == text


def test_keys_are_no_asciidoc() -> None:
    assert detect(b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nabc\n", ".asc").mime == "text/plain"


def test_damaged_texts_end() -> None:
    for source in (
        "====\n" * 3001,
        "|===\n" * 3001,
        "[a]\n" * 5000,
        "*a" * 20_000,
        "ifdef::x[]\n" * 5000,
        "a::\n" * 5000,
        "----\n====\n" * 999,
    ):
        assert isinstance(AsciiDoc(source).text, str)
