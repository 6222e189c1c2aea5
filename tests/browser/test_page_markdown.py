"""Fragments of Markdown as elements, and passages found on pages of PDF documents, in a real Chromium."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page
from support.browser import needs_chromium
from test_page_modules import page

__all__ = ["page"]

pytestmark = needs_chromium

_RENDER = """async ([text, options]) => {
    const { renderMarkdown } = await import("/static/markdown.js");
    const box = document.createElement("div");
    box.append(...renderMarkdown(text, options));
    return box.innerHTML;
}"""
_LINE = """async (hit) => {
    const { passageLine } = await import("/static/passage.js");
    const box = document.createElement("p");
    box.append(...passageLine(hit));
    const marked = [...box.querySelectorAll("mark")].map((mark) => mark.textContent);
    return [box.textContent.replace(/\\s+/g, " ").trim(), marked];
}"""
_TABLE = '<div class="table" tabindex="0"><table>'


@pytest.mark.parametrize(
    ("text", "options", "shown"),
    [
        ("a **b** *c* _d_ `e*` ~~f~~", {},
            "<p>a <strong>b</strong> <em>c</em> <em>d</em> <code>e*</code> <del>f</del></p>"),
        ("snake_case_name 2 * 3 * 4", {}, "<p>snake_case_name 2 * 3 * 4</p>"),
        ("**never closed", {}, "<p>**never closed</p>"),
        ("a pump", {"marks": [[2, 6]]}, "<p>a <mark>pump</mark></p>"),
        ("a **pump**s", {"marks": [[4, 11]]}, "<p>a <strong><mark>pump</mark></strong><mark>s</mark></p>"),
        ("one. two", {"best": [5, 8]}, '<p>one. <span class="best">two</span></p>'),
        ("| c | d |\n| e | f |", {},
            f"{_TABLE}<tbody><tr><td>c</td><td>d</td></tr><tr><td>e</td><td>f</td></tr></tbody></table></div>"),
        ("| A | B |\n|---|:-:|\n| c | d |", {},
            f'{_TABLE}<thead><tr><th scope="col">A</th><th scope="col">B</th></tr></thead>'
            "<tbody><tr><td>c</td><td>d</td></tr></tbody></table></div>"),
        ("|-|-|\n| c | d |", {}, f"{_TABLE}<tbody><tr><td>c</td><td>d</td></tr></tbody></table></div>"),
        ("```\na\n  b", {}, '<pre tabindex="0"><code>a\n  b</code></pre>'),
        ("- a\n  - b\n- c", {}, "<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>"),
        ("1. a\n2. b", {}, "<ol><li>a</li><li>b</li></ol>"),
        ("3. When it fails\n\nStay calm.", {}, "<p>3. When it fails</p><p>Stay calm.</p>"),
        ("# A\n### B\ntext", {"headings": True}, '<h2 data-offset="0">A</h2><h3 data-offset="4">B</h3><p>text</p>'),
        ("# A", {}, '<p class="heading">A</p>'),
        ("> a\n> b", {}, "<blockquote><p>a\nb</p></blockquote>"),
        ("[a](https://x.example) [b](javascript:c)", {"links": True},
            '<p><a href="https://x.example" rel="noreferrer noopener" target="_blank">a</a> <span>b</span></p>'),
        ("<script>x</script> &amp;", {}, "<p>&lt;script&gt;x&lt;/script&gt; &amp;amp;</p>"),
        ("From: a\n\nb", {"mail": True}, '<p class="mail-header"><b>From</b> <span>a</span></p><p>b</p>'),
    ],
)  # fmt: skip
def test_fragments_are_rendered(page: Page, text: str, options: dict[str, object], shown: str) -> None:
    assert page.evaluate(_RENDER, [text, options]) == shown


def test_a_passage_in_one_line_shows_none_of_the_signs_that_structure_it(page: Page) -> None:
    text = (
        "# A\n\n| B | C |\n| --- | --- |\n| pump | *d* |\n\n"
        "```python\ne\n```\n\n[f](https://x.example) ~~g~~ **pump**s"
    )
    marks = [[match.start(), match.end()] for match in re.finditer("pump", text)]
    hit = {"passage": text, "highlights": marks, "heading": "A", "document": {"mime": "text/markdown"}}
    shown = page.evaluate(_LINE, hit)
    assert shown == ["B C pump d e f g pumps", ["pump", "pump"]]


def test_a_line_of_unpaired_signs_takes_no_longer_than_another(page: Page) -> None:
    took = page.evaluate(
        """async () => {
            const { renderMarkdown } = await import("/static/markdown.js");
            // The best of several: whatever else the machine does only adds to each.
            const time = (text) => Math.min(...[...Array(5)].map(() => {
                const begun = performance.now();
                renderMarkdown(text);
                return performance.now() - begun;
            }));
            const short = time("**a _b [c `d ~~e ".repeat(500));
            return time("**a _b [c `d ~~e ".repeat(8000)) / Math.max(short, 1);
        }"""
    )
    assert took < 100  # sixteen times the text; sixteen times as long for each sign would be 256


@pytest.mark.parametrize(
    ("items", "passage", "expected"),
    [
        (["Before. The pump must be ", "primed."], "The pump must be primed", ["The pump must be", "primed"]),
        (["speed steady, what-", "ever load is con-", "nected"], "speed steady, whatever load is connected",
            ["speed steady, what", "ever load is con", "nected"]),
        (["Nothing of it is here."], "The pump must be primed", []),
        (["ﬁll the casing"], "fill the casing", ["ﬁll the casing"]),
    ],
)  # fmt: skip
def test_a_passage_is_found_on_its_page(
    page: Page, items: list[str], passage: str, expected: list[str]
) -> None:
    found = page.evaluate(
        """async ([items, passage]) => {
            const { passageRanges } = await import("/static/pdf-highlight.js");
            return passageRanges(items, passage).map(({ item, from, to }) => items[item].slice(from, to));
        }""",
        [items, passage],
    )
    assert found == expected
