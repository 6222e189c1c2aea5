"""Exports of MediaWiki, and the wikitext in them."""

from __future__ import annotations

import time

import pytest

from pipeline.extraction.format_reader import READERS
from pipeline.extraction.formats import detect
from pipeline.extraction.markup.wikitext import to_markdown


def test_the_newest_version_of_each_page_stands_below_its_title() -> None:
    pages = (
        "<page><title>Berths</title><ns>0</ns><revision><id>1</id><text>Old.</text></revision><revision><id>2</id>"
        "<model>wikitext</model><text xml:space='preserve'>== Depth ==\n* '''one'''\n* two</text></revision></page>"
        "<page><title>Talk:Berths</title><revision><contributor><ip>1.2.3.4</ip></contributor><text>Deep?</text>"
        "</revision></page>"
    )
    site = "<siteinfo><sitename>W</sitename></siteinfo>"
    data = f"<mediawiki xmlns='http://www.mediawiki.org/xml/export-0.11/'>{site}{pages}</mediawiki>".encode()
    found = detect(data, ".xml")
    text = READERS[found.mime].read(data, found).text
    assert text == "# Berths\n\n## Depth\n\n- one\n- two\n\n# Talk:Berths\n\nDeep?"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<!-- no -->Berth ''seven'' is '''[[Harbour|in]]''' [[Port]].__TOC__", "Berth seven is in Port."),
        ("See [https://e.example the site] and [[:Category:A]].", "See the site and Category:A."),
        (
            "Deep.<ref name='a'>The log.</ref> Wide.<ref name='a'/> 10<sup>6</sup>",
            "Deep. (The log.) Wide. 10⁶",
        ),
        ("[[File:A.png|thumb|200px|The [[pier]]]]\nText.", "The pier\nText."),
        ("* one\n** two\n# three\n; Term: no\n: more", "- one\n  - two\n- three\nTerm: no\nmore"),
        ("{{Box|name=Berth|depth=[[Metre|7 m]]|note={{small|low}}}}", "name: Berth\ndepth: 7 m\nnote: low"),
        ("The {{lang|fr|quai}} is {{convert|7|m}}.", "The fr, quai is 7, m."),
        (
            "{| class='x'\n! Port !! style='a' | m\n|-\n| A\n| 12 || 13\nmore\n|}\nEnd",
            "| Port | m |  |\n| --- | --- | --- |\n| A | 12 | 13 more |\n\nEnd",
        ),
    ],
)
def test_wikitext(source: str, text: str) -> None:
    assert to_markdown(source) == text


@pytest.mark.parametrize("unit", ["{{", "[[", "<ref>", "{{a|", "[[File:", "'' ", "{|\n", "<!-- "])
def test_unclosed_markup_is_read_quickly(unit: str) -> None:
    started = time.monotonic()
    assert "sea" in to_markdown(unit * 20_000 + "sea")
    assert time.monotonic() - started < 20
