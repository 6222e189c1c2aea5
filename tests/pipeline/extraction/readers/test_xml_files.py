"""XML of programs for notes, mind maps, diagrams, scripts and translations."""

from __future__ import annotations

import base64
import zlib
from urllib.parse import quote

from pipeline.extraction.content import Content
from pipeline.extraction.formats import detect
from pipeline.extraction.readers.xml_text import XmlReader


def _read(source: str, suffix: str = ".xml") -> Content:
    found = detect(source.encode(), suffix)
    assert found.mime == "application/xml"
    return XmlReader().read(source.encode(), found)


def _evernote(*notes: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE en-export SYSTEM "http://xml.evernote.com/pub/evernote-export4.dtd">'
        f'<en-export export-date="20260304T101112Z" application="Evernote" version="10">{"".join(notes)}</en-export>'
    )


def _note(title: str, page: str, more: str = "") -> str:
    return (
        f"<note><title>{title}</title><created>20260301T090000Z</created><tag>travel</tag>"
        '<content><![CDATA[<?xml version="1.0" encoding="UTF-8" standalone="no"?>'
        f'<!DOCTYPE en-note SYSTEM "http://xml.evernote.com/pub/enml2.dtd"><en-note>{page}</en-note>]]></content>{more}</note>'
    )


def test_notes_of_evernote_read_as_they_are_shown() -> None:
    page = (
        '<div>The <b>crane</b> &amp; rope</div><en-media hash="ab" type="image/png"/><h1>Plan</h1>'
        '<div><en-todo checked="true"/>buy rope</div><div><en-todo></en-todo>call Bob</div>'
    )
    file = (
        "<resource><data encoding='base64'>QUJDRA==</data><mime>image/png</mime><recognition>&lt;t&gt;junk&lt;/t&gt;"
        "</recognition><resource-attributes><file-name>crane.png</file-name></resource-attributes></resource>"
    )
    first = _note("Visit", page, file)
    text = (
        "## Visit\n\n2026-03-01 09:00, travel\n\nThe crane & rope\n\n### Plan\n\n"
        "☑ buy rope\n☐ call Bob\n\ncrane.png"
    )
    assert _read(_evernote(first), ".enex").text == text
    assert _read(_evernote(first), ".enex").title == "Visit"
    both = _read(_evernote(first, _note("Two", "<div>More</div>")), ".enex")
    assert both.title is None
    assert both.text == f"{text}\n\n## Two\n\n2026-03-01 09:00, travel\n\nMore"


def test_mind_maps_read_as_outlines() -> None:
    source = (
        '<map version="freeplane 1.9.13"><node TEXT="Harbour &#xfc;ber" ID="1"><node TEXT="Cranes" POSITION="right">'
        '<richcontent TYPE="NOTE"><html><head/><body><p>A <b>no</b>te</p><p>goes on</p></body></html></richcontent>'
        '<attribute NAME="Load" VALUE="7 t"/><node TEXT="Berth 7"/></node><node ID="4"><richcontent TYPE="NODE">'
        "<html><head/><body><p>Rich</p></body></html></richcontent></node></node></map>"
    )
    content = _read(source, ".mm")
    assert content.title == "Harbour über"
    assert content.text == "# Harbour über\n\n- Cranes\n  A note goes on\n  Load: 7 t\n  - Berth 7\n- Rich"
    assert detect(b"#import <Foundation/Foundation.h>\n", ".mm").mime == "text/x-c"


def test_diagrams_read_their_labels_packed_or_not() -> None:
    page = (
        '<mxGraphModel><root><mxCell id="0"/><mxCell id="2" value="Crane service" style="html=1" vertex="1"/>'
        '<mxCell id="3" value="&lt;b&gt;Berth&lt;/b&gt;&lt;div&gt;seven &amp;amp; über&lt;/div&gt;"/>'
        '<object label="Rope" id="4"><mxCell parent="1"/></object></root></mxGraphModel>'
    )
    text = "Crane service\n\nBerth\nseven & über\n\nRope"
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = base64.b64encode(packer.compress(quote(page, safe="~()*!.'").encode()) + packer.flush()).decode()
    assert _read(page).text == text
    for inside in (page, packed):
        assert (
            _read(f'<mxfile host="x"><diagram name="One">{inside}</diagram></mxfile>').text
            == f"## One\n\n{text}"
        )
    assert _read('<mxfile host="x"><diagram name="One">%%%</diagram></mxfile>', ".drawio").text == "## One"


def test_drawings_read_labels_that_are_html_once() -> None:
    label = '<foreignObject><div xmlns="http://www.w3.org/1999/xhtml"><span>Crane</span> service</div></foreignObject>'
    svg = '<svg xmlns="http://www.w3.org/2000/svg">{}</svg>'
    assert _read(svg.format(label), ".svg").text == "Crane service"
    assert (
        _read(svg.format(f"<switch>{label}<text>Crane serv...</text></switch>"), ".svg").text
        == "Crane service"
    )


def test_pages_inside_of_elements_read_as_they_are_shown() -> None:
    source = '<x><id>3</id><property name="body"><![CDATA[<p>The <b>rope</b></p><p>tore</p>]]></property></x>'
    assert _read(source).text == "id: 3\nproperty, body:\n\nThe rope\n\ntore"
    assert _read("<x><code>if a &lt; b</code></x>").text == "code: if a < b"


def test_runs_with_their_spaces_make_one_line() -> None:
    runs = '<P><Text>The </Text><Text Style="Bold">crane</Text><Text> moves.</Text></P><P><A>one</A><A>two</A></P>'
    assert _read(f"<x>{runs}</x>").text == "P: The crane moves.\n\nA: one\nA: two"


def test_feeds_keep_comments_and_categories() -> None:
    source = (
        "<rss><channel><title>Log</title><item><title>Rope</title><category>Harbour</category><description>It tore"
        '</description><comments><comment author="bob">&lt;p&gt;Again&lt;/p&gt;</comment></comments><comment>'
        "<comment_author>Ana</comment_author><comment_content>Mended</comment_content></comment></item></channel></rss>"
    )
    assert _read(source).text == "# Log\n\n## Rope\n\nHarbour\n\nIt tore\n\nbob: Again\n\nAna: Mended"


def test_messages_in_attributes_are_read() -> None:
    source = (
        '<?xml version="1.0"?><smses><sms protocol="0" body="See you&#10;there" contact_name="Ana"/></smses>'
    )
    assert "See you\nthere" in _read(source).text


def test_translations_for_qt_are_xml_and_programs_are_not() -> None:
    translations = (
        '<?xml version="1.0"?><!DOCTYPE TS><TS version="2.1"><context><name>Main</name>'
        "<message><source>Open</source><translation>Öffnen</translation></message></context></TS>"
    )
    assert _read(translations, ".ts").text == "name: Main\n\nsource: Open\ntranslation: Öffnen"
    assert detect(b"export const a = 1\n", ".ts").mime == "text/x-typescript"
