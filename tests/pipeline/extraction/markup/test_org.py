"""Org texts."""

# ruff: noqa: E501 - a source and its text in one line

from __future__ import annotations

import pytest

from pipeline.extraction.formats import detect
from pipeline.extraction.markup.org import OrgText


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("* TODO [#A] Open the /north/ gate :water:old:\n** DONE Shut\nText.", "# Open the north gate\n\n## Shut\n\nText."),
        ("#+TODO: LIFT | LOWER\n* LIFT gate\n* NASA report", "# gate\n\n# NASA report"),
        ("* A\n:PROPERTIES:\n:ID: 77\n:END:\n:LOGBOOK:\nCLOCK: [2024-01-01]\n:END:\nText.", "# A\n\nText."),
        ("SCHEDULED: <2024-03-01 Fri>\nMeet [2024-03-02 Sat].", "SCHEDULED: 2024-03-01 Fri\n\nMeet 2024-03-02 Sat."),
        ("See [[https://x.example/a][the list]], [[file:gate.png]]*bold*, =code_x= and a_b.", "See the list, bold, code_x and a_b."),
        ("A note.[fn:1] Inline.[fn:: Here *so*.]\n\n[fn:1] The text.", "A note. [1] Inline. (Here so.)\n\n[1] The text."),
        (r"A formula \(a_1 + b^2\) and \[c < 3\] here.", "A formula a_1 + b^2 and c < 3 here."),
        (r"10^{6} cells, H_{2}O, a_b and \(\frac{a}{b}\)", "10⁶ cells, H₂O, a_b and a/b"),
        ("| Gate | m |\n|------+---|\n| North | 3 |", "| Gate | m |\n| --- | --- |\n| North | 3 |"),
        ("- [X] one\n  more\n- term :: meaning\n1. first", "- one more\n\n- term: meaning\n\n1. first"),
        ("#+BEGIN_SRC sh :results none\necho hi\n,* star\n#+END_SRC", "```sh\necho hi\n* star\n```"),
        ("#+begin_quote\nSaid /she/.\n#+end_quote\n#+begin_export html\n<b>\n#+end_export\n# hidden", "Said she."),
        ("* COMMENT Secret\nhidden\n** also\n* Shown", "# Shown"),
        (": fixed\n:  more", "```\nfixed\n more\n```"),
        ("#+MACRO: ver 2.1\nVersion {{{ver}}} \\alpha{}.", "Version 2.1 α."),
    ],
)  # fmt: skip
def test_blocks(source: str, text: str) -> None:
    assert OrgText(source).text == text


def test_title_and_author() -> None:
    document = OrgText("#+title: The gate\n#+AUTHOR: Mara\n#+OPTIONS: toc:nil\n\nText.")
    assert (document.title, document.author, document.text) == ("The gate", "Mara", "# The gate\n\nText.")


def test_other_files_with_the_suffix_are_plain_texts() -> None:
    assert detect(b"application controlDict;\nstart 0;\n", ".org").mime == "text/plain"
    assert detect(b"Some words.\n* A heading\n", ".org").mime == "text/org"


def test_damaged_texts_end() -> None:
    for source in (
        "#+begin_src\n" * 3000,
        "* " * 30_000,
        ":a:\n" * 5000,
        "[[" * 30_000,
        "*a" * 20_000,
        "|\n" * 5000,
    ):
        assert isinstance(OrgText(source).text, str)
