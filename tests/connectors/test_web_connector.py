"""The connector for web sites against Debian's nginx: what is fetched, how politely, and after a crash at any point."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.fetched_source import FetchedSource
from support.web_server import WebSite, web_site

from pipeline.connectors.protocol import ConnectorError
from pipeline.connectors.web.links import joined, page_links, sitemap_links
from pipeline.connectors.web.page import Page

pytestmark = pytest.mark.gen_test


def _page(text: str, *links: str, head: str = "") -> str:
    anchors = "".join(f'<a href="{link}">more</a>' for link in links)
    return f"<!doctype html><html><head>{head}</head><body><p>{text}</p>{anchors}</body></html>"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[WebSite]:
    with web_site(tmp_path / "web") as site:
        site.write(
            {
                "docs/index.html": _page(
                    "Start", "tides.html", "a/lamps.html#top", "/outside.html", "moved", "away"
                ),
                "docs/tides.html": _page("Tides", "./", "mailto:ada@example.org", "javascript:void(0)"),
                "docs/a/lamps.html": _page("Lamps", "../notes.txt", "../private/x.html", "../draft.html"),
                "docs/notes.txt": "A note of the port.",
                "docs/target.html": _page("Target"),
                "docs/draft.html": _page(
                    "Draft", "behind.html", head='<meta name="robots" content="noindex">'
                ),
                "docs/behind.html": _page("Behind"),
                "docs/private/x.html": _page("Private"),
                "outside.html": _page("Outside"),
                "robots.txt": "User-agent: *\nDisallow: /docs/private/\n",
            }
        )
        yield site


def _source(site: WebSite, data: Path, limits: dict[str, Any] | None = None, **options: Any) -> FetchedSource:
    return FetchedSource(data, "web", {"url": f"{site.url}/docs/", **options}, **(limits or {}))


_ALL = {"index.html", "tides.html", "a/lamps.html", "notes.txt", "target.html", "behind.html"}


async def test_a_site_is_followed_within_its_folder_and_what_is_unchanged_is_not_sent_again(
    site: WebSite, tmp_path: Path
) -> None:
    source = _source(site, tmp_path / "data")
    assert source.source.path == f"{site.url}/docs"
    found = await source.scan()
    assert set(found) == _ALL and "Lamps" in found["a/lamps.html"]
    assert source.origins["a/lamps.html"] == {"url": f"{site.url}/docs/a/lamps.html"}
    assert any("robots.txt" in each for each in source.warnings)
    asked = site.asked()
    assert len(asked) == len(set(asked))
    assert not any("private" in each or "outside" in each for each in asked)

    assert await source.scan() == found and source.fetched == 0
    assert {each for each in site.asked() if each.startswith("200")} == {
        "200 /robots.txt",
        "200 /docs/draft.html",  # nothing of it is kept
    }

    site.write({"docs/tides.html": _page("Spring tides", "new.html"), "docs/new.html": _page("New")})
    site.write({"docs/notes.txt": None})
    found = await source.scan()
    assert set(found) == (_ALL - {"notes.txt"}) | {"new.html"}
    assert "Spring" in found["tides.html"] and source.fetched == 2


@pytest.mark.parametrize("failpoint", ["fetching.kept:3", "fetching.finished"])
async def test_after_a_crash_nothing_is_lost_or_kept_twice(
    site: WebSite, tmp_path: Path, failpoint: str
) -> None:
    source = _source(site, tmp_path / "data")
    source.scan_that_dies(failpoint)
    site.write(
        {f"docs/{name}": _page(f"New {name}", "tides.html", "a/lamps.html") for name in ("index.html",)}
    )
    site.write({"docs/a/lamps.html": _page("New lamps"), "docs/tides.html": _page("New tides")})
    source.scan_that_dies(failpoint)
    found = await source.scan()
    assert set(found) == {"index.html", "tides.html", "a/lamps.html"}
    assert all("New" in text for text in found.values())


async def test_a_page_that_fails_stays_and_so_does_what_is_behind_it(site: WebSite, tmp_path: Path) -> None:
    source = _source(site, tmp_path / "data")
    before = await source.scan()
    site.answer("/docs/a/lamps.html", 503)
    assert await source.scan() == before
    assert any("status 503" in each for each in source.warnings)
    site.answer("/robots.txt", 500)
    with pytest.raises(ConnectorError, match=r"robots.txt cannot be read \(status 500\)"):
        await source.scan()
    site.answer("/docs/", 404)
    with pytest.raises(ConnectorError, match="does not exist any more"):
        await source.scan()
    assert sum(each.is_file() for each in (source.folder / "files").rglob("*")) == len(before)


async def test_a_sitemap_names_the_pages_and_limits_hold(site: WebSite, tmp_path: Path) -> None:
    site.write(
        {
            "sitemap.xml": '<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
            f"<url><loc>{site.url}/docs/tides.html</loc></url>"
            f"<url><loc> {site.url}/outside.html </loc></url><url><loc>https://example.org/x</loc></url></urlset>"
        }
    )
    source = _source(site, tmp_path / "data", url=f"{site.url}/sitemap.xml", exclude=["docs/a/"])
    assert set(await source.scan()) == {
        "docs/tides.html",
        "outside.html",
        "docs/index.html",
        "docs/target.html",
    }
    few = _source(site, tmp_path / "few", max_pages=2)
    assert len(await few.scan()) == 2
    assert any("more than 2 pages" in each for each in few.warnings)


async def test_requests_wait_for_each_other(site: WebSite, tmp_path: Path) -> None:
    source = _source(site, tmp_path / "data", {"delay_s": 0.1}, max_pages=3)
    started = time.monotonic()
    await source.scan()
    assert time.monotonic() - started >= 0.1 * (len(site.asked()) - 1)


async def test_private_addresses_forbidden_sites_and_other_places_are_named(
    site: WebSite, tmp_path: Path
) -> None:
    with pytest.raises(ConnectorError, match="may not reach"):
        await _source(site, tmp_path / "a", {"private_networks": ()}).scan()
    with pytest.raises(ConnectorError, match=r"leads to https://example\.org/"):
        await _source(site, tmp_path / "b", url=f"{site.url}/docs/away").scan()
    site.write({"robots.txt": "User-agent: Semantik\nDisallow: /\n"})
    with pytest.raises(ConnectorError, match="asks not to read"):
        await _source(site, tmp_path / "c").scan()


def test_links_are_found_as_a_browser_does() -> None:
    text = """<base href="/b/"><!-- <a href="no1"> -->
        <script>"<a href='no2'>"</script><A class=x HREF=one>
        <a rel="nofollow" href="no3"><a href='two?a=1&amp;b=2#part'>
        <iframe src="//example.org/three"></iframe><a name=x>"""
    assert page_links(text, "https://example.org/a/").urls == (
        "https://example.org/b/one",
        "https://example.org/b/two?a=1&b=2",
        "https://example.org/three",
    )
    turkish = page_links("<!-- İİİİİİİİ --><a href=one><!-- İ --><a href=two>", "https://example.org/")
    assert turkish.urls == ("https://example.org/one", "https://example.org/two")
    assert joined("https://example.org/", "http://[broken/") == ""
    hostile = page_links("<a " * 500_000 + "<!--" * 500_000, "https://example.org/")
    assert hostile.urls == ()
    index = b"<sitemapindex><sitemap><loc>https://example.org/1.xml</loc></sitemap></sitemapindex>"
    assert sitemap_links(gzip.compress(index)) == sitemap_links(index) == ("https://example.org/1.xml",)
    assert sitemap_links(b"<rss></rss>") is None


def test_a_page_is_asked_for_without_conditions_when_not_all_its_links_are_kept() -> None:
    few = Page(("https://example.org/1",), etag='"a"', modified="Sat, 28 Nov 2026 10:00:00 GMT")
    assert Page.of_state(few.state) == few
    many = Page(tuple(f"https://example.org/{n}" for n in range(3000)), etag='"a"', modified=few.modified)
    kept = Page.of_state(many.state)
    assert not kept.etag and not kept.modified and kept.links == many.links[: len(kept.links)]
