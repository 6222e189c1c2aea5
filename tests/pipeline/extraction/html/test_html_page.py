"""What a person sees of a page, element by element."""

from __future__ import annotations

import time

import pytest

from pipeline.extraction.formats import Format
from pipeline.extraction.html import html_to_markdown
from pipeline.extraction.readers.html import HtmlReader


def test_bookmarks_of_a_browser_have_their_addresses() -> None:
    body = (
        "<TITLE>Bookmarks</TITLE><H1>Menu</H1><DL><p><DT><H3>Harbour</H3><DL><p>"
        '<DT><A HREF="https://crane.example/a?b=1" ADD_DATE="17" ICON="data:image/png;base64,iVBO">Cranes</A>'
        '<DT><A HREF="javascript:alert(1)">Script</A></DL></DL>'
    )
    found = Format("text/html", "an HTML page")
    bookmarks = HtmlReader().read(f"<!DOCTYPE NETSCAPE-Bookmark-file-1>\n{body}".encode(), found)
    assert bookmarks.title == "Bookmarks"
    assert "Cranes https://crane.example/a?b=1" in bookmarks.text
    assert "javascript" not in bookmarks.text
    assert "https" not in HtmlReader().read(f"<!DOCTYPE html>{body}".encode(), found).text


def _text(body: str) -> str:
    return html_to_markdown(f"<!DOCTYPE html><html><body>{body}</body></html>").text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<p>un<b>believ</b>able <i>tide</i>s</p>", "unbelievable tides"),
        ("<p>break<wbr>water, har&shy;bour, a&nbsp;pier</p>", "breakwater, harbour, a pier"),
        ("<p>gull<br>tern</p>", "gull\ntern"),
        ("<div>gull</div><div>tern</div>", "gull\ntern"),
        ("<p>gull<p>tern", "gull\n\ntern"),
        ("<a href='a'>Tides</a><a href='b'>Winds</a>", "Tides Winds"),
        ("<p>5<sup>th</sup> of 10<sup>6</sup> m<sup>-2</sup>, CO<sub>2</sub></p>", "5th of 10⁶ m⁻², CO₂"),
        (
            "<p>tides<sup>3,4</sup> rose.<sup>5–7</sup> Ropes<sup>a</sup></p>",
            "tides[3,4] rose.[5–7] Ropes[a]",
        ),
        (
            "<p>10<span style='color:red; vertical-align:super'>6</span>, M<sup>me</sup> Oar</p>",
            "10⁶, Mme Oar",
        ),
        ("<p>the ford<sup><a href='#n1'>1</a></sup> is deep</p>", "the ford[1] is deep"),
        ("<ol><li id=n1>Deep.&nbsp;<a href='#m1'>↩︎</a> <a href='#m2'>↩<sup>2</sup></a></ol>", "1. Deep."),
        ("<p>the ford<a epub:type='noteref' href='#n'>2</a> is deep</p>", "the ford[2] is deep"),
        ("<p><del>nine</del> <ins>ten</ins> boats</p>", "~~nine~~ ten boats"),
        ("<p>He said <q>come <q>now</q></q>.</p>", "He said “come ‘now’”."),
        ("<ruby>東<rp>(</rp><rt>とう</rt><rp>)</rp>京<rt>きょう</rt></ruby>へ", "東京(とうきょう)へ"),
        ("<p># no heading</p>", "\\# no heading"),
        ("<h2>Tide <em>tables</em><a class='headerlink' href='#t'>¶</a></h2>", "## Tide tables"),
        ("<ul><li>one<ol start='4'><li>four<li>five</ol><li>two</ul>", "- one\n  4. four\n  5. five\n- two"),
        ("<ul><li><p>one</p></li><li><p>two</p></li></ul>after", "- one\n- two\n\nafter"),
        ("<ol type='a'><li>x<li value='4'>y<li>z</ol>", "a. x\nd. y\ne. z"),
        ("<ol style='margin:0; list-style-type: lower-roman'><li>x<li>y</ol>", "i. x\nii. y"),
        (
            "<ul><li><input type=checkbox checked disabled> Rope<li><label><input type=checkbox>Paint</label></ul>",
            "- [x] Rope\n- [ ] Paint",
        ),
        (
            "<input type=radio name=a checked> Yes <input type=radio name=a> No <input type=checkbox name=b> News",
            "[x] Yes No News",
        ),
        (
            "<input type=checkbox id=menu checked><nav hidden>x</nav><input type=checkbox><div>Seen</div>",
            "Seen",
        ),
        ("<input type=checkbox checked>\n<label>Rope</label>", "[x] Rope"),
        ("<ol type='I' start='3'><li>x</ol><ol reversed><li>x<li>y</ol>", "III. x\n\n2. x\n1. y"),
        (
            "<div class='accordion'><button aria-expanded='false'>Open?</button><p hidden>At ten.</p></div>",
            "Open?\n\nAt ten.",
        ),
        ("<div class='tab-content'><div style='display:none'>Second tab</div></div>", "Second tab"),
        ("<dl><dt>Fid</dt><dd>A wooden pin.</dd></dl>", "Fid\n: A wooden pin."),
        ("<blockquote><p>Fair winds.</p></blockquote>", "> Fair winds."),
        ("<pre>if x:\n\n    y &lt; 2\n</pre>", "```\nif x:\n\n    y < 2\n```"),
        ("<pre>a ``` b</pre>", "````\na ``` b\n````"),
        ("see <img src='a.png' alt='the pilot boat'>here", "see the pilot boat here"),
        ("see <img src='a.png' alt='DSC_0001.JPG'>here", "see here"),
        (
            "<svg><title>Berth plan</title><path d='M0 0L9 9'/><text>Berth 4</text></svg>",
            "Berth plan Berth 4",
        ),
        ("<p>a <math><mfrac><mi>a</mi><mn>2</mn></mfrac></math> b</p>", "a a/2 b"),
        ("<textarea>My note</textarea><input value='Ann'><input type='hidden' value='t0k3n'>", "My note Ann"),
        ("<select><option>Red<option selected>Green</select>", "Green"),
        ("<iframe srcdoc='&lt;p&gt;Framed&lt;/p&gt;'></iframe>", "Framed"),
        ("<x-card>Alpha</x-card><x-card>Beta</x-card>", "Alpha Beta"),
        (
            "Of <span class='badge'>sea</span><span class='badge red'>boat</span>, <span>un</span>tied",
            "Of sea boat, untied",
        ),
        ("<object>no plugin</object><video>no video</video><p>seen</p>", "seen"),
    ],
)
def test_an_element_reads_as_it_is_seen(body: str, text: str) -> None:
    assert _text(body) == text


def test_text_in_every_kind_of_block_is_kept() -> None:
    blocks = ("form", "aside", "details", "dialog open", "fieldset", "figure", "center", "hgroup", "search")
    body = "".join(f"<{name}><p>In the {name}.</p></{name.split()[0]}>" for name in blocks)
    text = _text(f"<article><p>Start.</p>{body}<footer><p>At the foot.</p></footer></article>")
    assert all(f"In the {name}." in text for name in blocks)
    assert text.endswith("At the foot.")


def test_what_no_person_sees_is_left_out() -> None:
    text = _text(
        "<style>p{color:red}</style><script>var a='<p>x</p>'</script><!-- remark --><template><p>stamp</p></template>"
        "<noscript><p>Switch scripts on.</p></noscript><p hidden>secret</p><p style='Display : NONE'>preheader</p>"
        "<dialog>closed</dialog><span aria-hidden='true'>icon</span>"
        "<math><semantics><mi>q</mi><annotation encoding='application/x-tex'>\\mathrm q</annotation></semantics></math>"
        "<p>Seen.</p>"
    )
    assert text == "q\n\nSeen."


def test_a_formula_that_is_there_twice_is_read_once() -> None:
    katex = (
        "<span class='katex'><span class='katex-mathml'><math><mi>v</mi><mo>=</mo><mn>3</mn></math></span>"
        "<span class='katex-html' aria-hidden='true'>v=3</span></span>"
    )
    assert _text(f"<p>Speed {katex} knots</p>") == "Speed v = 3 knots"


def test_a_page_that_is_hidden_or_for_no_scripts_only_keeps_its_text() -> None:
    assert _text("<noscript><p>The ferry is late.</p></noscript><div id='app'></div>") == "The ferry is late."
    assert _text("<div style='display:none'><p>The ferry is late.</p></div>") == "The ferry is late."
    long = "The ferry is late. " * 20
    assert "ferry" in _text(f"<p>Menu</p><div aria-hidden='true'><p>{long}</p></div>")


def test_a_shadow_root_that_was_saved_with_the_page_is_read() -> None:
    page = "<x-note><template shadowrootmode='open'><p>Shadow text</p></template>light</x-note><template>no</template>"
    assert _text(page) == "Shadow text\n\nlight"


def test_title_author_and_date_come_from_the_head() -> None:
    page = html_to_markdown(
        "<head><meta property='og:title' content='Social'><meta name='author' content='Ann Oar'>"
        "<meta property='article:published_time' content='2025-04-03T10:00:00Z'></head><h1>Inside</h1>"
    )
    assert (page.title, page.author, page.date) == ("Social", "Ann Oar", "2025-04-03T10:00:00Z")
    assert html_to_markdown("<title>Head &amp; tail</title><h1>Inside</h1>").title == "Head & tail"
    assert html_to_markdown("<svg><title>Icon</title></svg><h1>In<i>side</i></h1>").title == "Inside"


def test_broken_markup_reads_as_in_a_browser() -> None:
    assert _text("<p>one<table><tr><td>cell</p>two") == "one\n\ncell\n\ntwo"
    assert _text("<b><p>bold</b> plain</p><li>stray") == "bold plain\n\n- stray"
    assert _text("a < b and c <d e") == "a < b and c"


def test_xhtml_reads_as_xml() -> None:
    page = (
        '<?xml version="1.0"?><!DOCTYPE html [<!ENTITY firm "Oar &amp; Co">]>'
        '<html xmlns="http://www.w3.org/1999/xhtml"><head><title/><script src="a.js"/><style/></head>'
        "<body><p><a id='x'/>From &firm;, <![CDATA[1 < 2]]></p><div/><p>End</p></body></html>"
    )
    assert html_to_markdown(page).text == "From Oar & Co, 1 < 2\n\nEnd"


@pytest.mark.parametrize(
    "unit", ["<x-y>", "<b>", "<div>", "<font size=1>", "<table><tr><td>", "<ul><li>", "<math>", "<ruby>"]
)
def test_any_depth_and_length_is_read_quickly(unit: str) -> None:
    started = time.process_time()  # a machine that does other work changes nothing
    assert "sea" in _text(f"{unit * 50_000}sea")
    assert time.process_time() - started < 20
