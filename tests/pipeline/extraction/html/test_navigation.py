"""The navigation of a site is left out, content never."""

from __future__ import annotations

import pytest

from pipeline.extraction.html import html_to_markdown

_LINKS = "".join(
    f"<li><a href='/{name}'>{name.title()}</a></li>" for name in ("boats", "crews", "harbours", "prices")
)
_ARTICLE = "<main><h1>Rowing</h1><p>Keep your back straight, and look over the stern.</p></main>"


@pytest.mark.parametrize(
    "menu",
    [
        f"<nav><ul>{_LINKS}</ul></nav>",
        f"<div role='navigation'><p>Go to</p><ul>{_LINKS}</ul></div>",
        f"<ul class='main-menu'>{_LINKS}</ul>",
        f"<div id='breadcrumbs'><ul>{_LINKS}</ul></div>",
    ],
)
def test_menus_are_left_out(menu: str) -> None:
    assert html_to_markdown(menu + _ARTICLE + menu).text == (
        "# Rowing\n\nKeep your back straight, and look over the stern."
    )


@pytest.mark.parametrize(
    "content",
    [
        f"<ul>{_LINKS}</ul>",  # a list of links without a sign of navigation
        "<nav><p>" + "The stern is the end that follows you. " * 20 + "</p></nav>",
        "<div class='menu'><p>Soup of the day, <a href='x'>herring</a> with potatoes, rhubarb cake.</p></div>",
    ],
)
def test_content_is_kept(content: str) -> None:
    text = html_to_markdown(_ARTICLE + content).text
    assert any(word in text for word in ("Crews", "stern is the end", "rhubarb"))


def test_a_page_that_is_all_navigation_keeps_it() -> None:
    text = html_to_markdown(f"<title>Index</title><nav><ul>{_LINKS * 5}</ul></nav>").text
    assert text.startswith("- Boats\n- Crews")


def test_books_and_mails_keep_what_looks_like_navigation() -> None:
    assert "Crews" in html_to_markdown(f"<nav>{_LINKS}</nav>{_ARTICLE}", keep_navigation=True).text
