"""XML: feeds, outlines, maps, drawings, and files of other kinds."""

# ruff: noqa: E501 - a source and its text in one line

from __future__ import annotations

import pytest

from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.formats import detect
from pipeline.extraction.readers.xml_text import XmlReader


def _read(source: str | bytes, suffix: str = ".xml") -> Content:
    data = source.encode() if isinstance(source, str) else source
    found = detect(data, suffix)
    assert found.mime == "application/xml"
    return XmlReader().read(data, found)


def test_rss_and_atom_entries_have_readable_html() -> None:
    rss = _read(
        '<?xml version="1.0"?><rss xmlns:content="http://purl.org/rss/1.0/modules/content/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Weir &amp; more</title>'
        "<item><title>Gate</title><pubDate>1 Mar</pubDate><dc:creator>Mara</dc:creator>"
        "<description>&lt;p&gt;The &lt;b&gt;old&lt;/b&gt; gate &amp;amp; R&amp;amp;D.&lt;/p&gt;</description></item>"
        "<item><title>Two</title><description>x</description><content:encoded><![CDATA[<p>Long "
        '<a href="http://x.example">text</a></p><img src="data:image/png;base64,AAAA">]]></content:encoded></item>'
        "</channel></rss>",
        ".rss",
    )
    assert rss.title == "Weir & more"
    assert rss.text == "# Weir & more\n\n## Gate\n\n1 Mar, Mara\n\nThe old gate & R&D.\n\n## Two\n\nLong text"
    atom = _read(
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>Log</title><entry><title type="html">A &amp;amp; B</title>'
        "<updated>2024-03-01</updated><author><name>Ole</name></author>"
        '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Body <em>text</em></p></div></content>'
        "</entry></feed>",
        ".atom",
    )
    assert atom.text == "# Log\n\n## A & B\n\n2024-03-01, Ole\n\nBody text"


def test_outlines_maps_and_drawings() -> None:
    opml = '<opml><head><title>List</title></head><body><outline text="A &amp; B"><outline text="C"/></outline></body></opml>'
    assert _read(opml, ".opml").text == "# List\n\n- A & B\n  - C"
    gpx = '<gpx xmlns="http://www.topografix.com/GPX/1/1"><wpt lat="1" lon="2"><name>Old mill</name><desc>Water here</desc></wpt></gpx>'
    assert _read(gpx, ".gpx").text == "## Old mill\n\nWater here"
    kml = (
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>Walk</name><Placemark><name>Pier</name>'
        "<description><![CDATA[<b>Wet</b> stones]]></description><Point><coordinates>8.5,47.1</coordinates></Point>"
        "</Placemark></Document></kml>"
    )
    assert _read(kml, ".kml").text == "# Walk\n\n## Pier\n\nWet stones"
    svg = (
        '<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://x.example/svg11.dtd">'
        '<svg xmlns="http://www.w3.org/2000/svg"><title>Plan</title><style>.a{}</style><path d="M0 0L9 9"/>'
        '<text x="1">North <tspan>gate</tspan></text></svg>'
    )
    assert _read(svg, ".svg").text == "Plan\n\nNorth gate"


def test_other_files_show_texts_with_the_names_of_their_elements() -> None:
    source = (
        '<?xml version="1.0" encoding="ISO-8859-1"?><!DOCTYPE order [<!ENTITY co "Weir &amp; Söhne">]><order id="3">'
        '<!-- hidden --><customerName>&co;</customerName><item name="Pump"><qty>3</qty><note>A <b>big</b> one&nbsp;</note>'
        "<photo>" + "QUJD" * 100 + "</photo></item></order>"
    )
    text = _read(source.encode("latin-1")).text
    assert text == "customer Name: Weir & Söhne\n\nitem: Pump\n\nqty: 3\nnote: A big one"


def test_damaged_files_give_their_text_without_markup() -> None:
    assert _read("<a><b>one</b> <c>two").text == "one two"


@pytest.mark.parametrize(
    "declared", ['<!ENTITY a "&b;&b;"><!ENTITY b "&a;&a;">', '<!ENTITY a SYSTEM "file:///etc/passwd">']
)
def test_entities_are_neither_fetched_nor_nested(declared: str) -> None:
    assert _read(f"<!DOCTYPE x [{declared}]><x>kept &a;</x>").text == "x: kept"


def test_large_entities_and_deep_files_are_bounded() -> None:
    big = f'<!DOCTYPE x [<!ENTITY a "{"y" * 1999}">]><x>{"&a;" * 20_000}</x>'
    assert len(_read(big).text) < 1_100_000
    with pytest.raises(ExtractError):
        _read("<a>" * 100_000 + "</a>" * 100_000)


def test_xml_without_a_declaration_is_known_by_its_name_space() -> None:
    subtitles = '<tt xml:lang="en"\n xmlns="http://www.w3.org/ns/ttml"><body><div><p begin="1s">The gate<br/>is <i>o</i>pen.</p></div></body></tt>'
    assert _read(subtitles, ".ttml").text == "The gate is open."
    assert detect(b'<template xmlns-x="a"><p>Hi</p></template>', ".vue").mime == "text/plain"
