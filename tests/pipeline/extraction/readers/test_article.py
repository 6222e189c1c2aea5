"""Journal articles in JATS and texts in TEI."""

from __future__ import annotations

import time

from pipeline.extraction.content import Content
from pipeline.extraction.extract import read_content
from pipeline.extraction.formats import detect

_ARTICLE = r"""<?xml version="1.0"?><!DOCTYPE article PUBLIC "-//NLM//DTD JATS (Z39.96) Journal Publishing DTD v1.2//EN"
"x.dtd">
<article xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:mml="http://www.w3.org/1998/Math/MathML" xml:lang="en">
<front><journal-meta><journal-id>jtide</journal-id></journal-meta><article-meta><article-id>77</article-id>
<title-group><article-title>Tides of H<sub>2</sub>O</article-title></title-group>
<contrib-group><contrib contrib-type="author"><name><surname>Oar</surname><given-names>Ann</given-names></name>
<xref ref-type="aff" rid="a1"><sup>1</sup></xref></contrib><contrib contrib-type="author"><name><surname>Keel</surname>
<given-names>Bob</given-names></name></contrib></contrib-group><aff id="a1"><label>1</label>Pier School</aff>
<pub-date pub-type="epub"><day>6</day><month>5</month><year>2024</year></pub-date><volume>9</volume><fpage>1</fpage>
<permissions><license><p>All rights reserved</p></license></permissions>
<abstract><title>Abstract</title><p>We row.</p></abstract><kwd-group><kwd>tide</kwd><kwd>oar</kwd></kwd-group>
</article-meta></front>
<body><sec><title>Methods</title><p>As shown,<sup>
<xref ref-type="bibr" rid="b1">1</xref>,<xref ref-type="bibr" rid="b2">2</xref></sup>
10<sup>6</sup> boats<fn><p>In May.</p></fn> and <inline-formula><alternatives><tex-math>\documentclass{a}</tex-math>
<mml:math><mml:mfrac><mml:mi>a</mml:mi><mml:mi>b</mml:mi></mml:mfrac></mml:math></alternatives></inline-formula>
or <inline-formula><tex-math>\begin{document}$\alpha \le b$\end{document}</tex-math></inline-formula>.</p>
<sec><title>Boats</title><list list-type="order"><list-item><p>one</p></list-item></list>
<table-wrap><label>Table 1</label><caption><title>Depths</title></caption>
<table><thead><tr><th>Port</th><th colspan="2">m</th></tr></thead>
<tbody><tr><td>A</td><td>1</td><td>2</td></tr></tbody></table></table-wrap></sec></sec></body>
<back><ref-list><title>References</title><ref id="b1"><label>1</label><element-citation>
<person-group><name><surname>Ebb</surname>
<given-names>C</given-names></name></person-group><article-title>Low water</article-title><year>1999</year>
<fpage>3</fpage>
</element-citation></ref></ref-list></back></article>"""


def _read(source: str) -> Content:
    data = source.encode()
    return read_content(data, detect(data, ".xml"), ".xml")


def test_a_journal_article() -> None:
    content = _read(_ARTICLE)
    assert content.text == (
        "# Tides of H₂O\n\nOar Ann, Keel Bob\n\n1 Pier School\n\n## Abstract\n\nWe row.\n\ntide, oar\n\n## Methods\n\n"
        "As shown,[1,2] 10⁶ boats (In May.) and a/b or α ≤ b.\n\n### Boats\n\n1. one\n\nTable 1\n\nDepths\n\n"
        "| Port | m |  |\n|---|---|---|\n| A | 1 | 2 |\n\n## References\n\n1 Ebb C Low water 1999 3"
    )
    assert (content.title, content.author, content.date) == (
        "Tides of H₂O",
        "Ann Oar, Bob Keel",
        "2024-05-06",
    )
    assert (content.tags, content.language) == (("tide", "oar"), "en")


def test_other_articles_stay_what_they_are() -> None:
    docbook = '<article xmlns="http://docbook.org/ns/docbook"><title>Boats</title><para>Row.</para></article>'
    assert detect(docbook.encode(), ".xml").mime == "application/docbook+xml"
    assert (
        detect(b"<?xml version='1.0'?><article><price>3</price></article>", ".xml").mime == "application/xml"
    )


def test_a_text_in_tei() -> None:
    head = (
        "<teiHeader><fileDesc><titleStmt><title>The log</title><author>Ann Oar</author></titleStmt><publicationStmt>"
        "<date when='1911'>in 1911</date></publicationStmt></fileDesc></teiHeader>"
    )
    body = (
        "<div><head>First day</head><p>We <choice><sic>rowd</sic><corr>rowed</corr></choice> to <abbr>St.</abbr> Ives"
        "<note place='foot'>\n  <p>A bay.</p>\n</note>, un<lb break='no'/>seen by<lb/>all, 10"
        "<hi rend='superscript'>6</hi> oars. He said <q>ebb</q>.</p>"
        "<fw>page 3</fw><pb/><lg><l>Fair winds</l><l>and tides</l></lg>"
        "<sp><speaker>Bob</speaker><p>Who goes?</p></sp>"
        "<div><head>Noon</head><list type='gloss'><label>fid</label><item>a pin</item></list><list rend='numbered'>"
        "<item>one</item></list><table><row role='label'><cell>Port</cell><cell cols='2'>m</cell></row>"
        "<row><cell>A</cell><cell>1</cell><cell>2</cell></row></table>"
        r"<p><formula notation='TeX'>\frac{a}{b}</formula></p></div></div>"
    )
    content = _read(
        f'<?xml version="1.0"?><TEI xmlns="http://www.tei-c.org/ns/1.0">{head}<text><body>{body}</body></text></TEI>'
    )
    assert content.text == (
        "# First day\n\nWe rowed to St. Ives (A bay.), unseen by all, 10⁶ oars. He said “ebb”.\n\n"
        "Fair winds\nand tides\n\nBob\n\nWho goes?\n\n"
        "## Noon\n\nfid\n: a pin\n\n1. one\n\n| Port | m |  |\n|---|---|---|\n| A | 1 | 2 |\n\na/b"
    )
    assert (content.title, content.author, content.date) == ("The log", "Ann Oar", "1911")


def test_a_damaged_header_costs_little() -> None:
    started = time.monotonic()
    assert "sea" in _read("<article dtd-version='1'><article-meta>" + "<contrib><name>" * 20_000 + "sea").text
    assert time.monotonic() - started < 20
