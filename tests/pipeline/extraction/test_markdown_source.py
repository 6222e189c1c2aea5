"""Markdown with HTML in it reads as it is shown; all else stays as it is in the file."""

from __future__ import annotations

import time

import pytest

from pipeline.extraction.markdown_source import as_seen
from pipeline.extraction.metadata.front_matter import front_matter


@pytest.mark.parametrize(
    "text",
    [
        "---\ntitle: <b>\ntags: [a]\n---\n# Log\n\n> [!TIP]\n> See [[Page|it]] and ==this==.[^1]\n\n[^1]: Note.\n",
        "!!! note\n    Mind the `<b>` tag.\n\nList<String> and Map<K, V>, <https://a.example> a < b > c\r\n",
        "```html\n<b>&amp;</b> <!-- shown -->\n```\n",
        "~~~\n<br>\n~~~\n\n| a | b |\n|---|---|\n| `<p>` | x_y |\n",
        "Use ``<i> ` </i>`` here & there\n",
    ],
)
def test_markdown_and_code_stay(text: str) -> None:
    assert as_seen(text) == text


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("# A <!-- to do\nlater --> B", "# A B"),
        ("<h1 align='center'>Big <b>boat</b></h1>\n", "# Big boat\n"),
        ("R&amp;D <b>w</b>ord H<sub>2</sub>O a<br>b", "R&D word H₂O a\nb"),
        ("Growth<sup>12</sup> of 10<SUP>6</SUP>", "Growth[12] of 10⁶"),
        ("| a<br>b | c |", "| a b | c |"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<details><summary>More</summary>\n\nInside\n</details>\n", "More\n\nInside\n\n"),
        (
            "<table><tr><th>k</th><th>v</th></tr><tr><td>1</td><td>2</td></tr></table>",
            "| k | v |\n|---|---|\n| 1 | 2 |",
        ),
        ("<ul><li>a<ul><li>b</li></ul></li></ul> end", "- a\n  - b end"),
        ("Press <kbd>Esc</kbd> <img src='x.png' alt='key'>.", "Press Esc key."),
        ("<script>\nlet a\n</script>\ntext", "\ntext"),
    ],
)
def test_html_reads_as_it_is_shown(text: str, seen: str) -> None:
    assert as_seen(text) == seen


def test_the_title_in_the_front_matter() -> None:
    assert front_matter("---\ntitle: 'Sea log'\n---\n# Other\n").title == "Sea log"
    assert front_matter("# Other\n\ntitle: no\n").title is None


@pytest.mark.parametrize(
    "unit", ["<!-- ", "<ul>", "<table><tr>", "<p title='", "`", "```\n", "<sup>", "<h1>", "![", "&a"]
)
def test_unclosed_markup_costs_little(unit: str) -> None:
    started = time.process_time()  # a machine that does other work changes nothing
    as_seen(unit * 30_000 + "sea &amp; <b>")
    assert time.process_time() - started < 10
