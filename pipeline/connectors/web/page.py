"""Fetches one page, if it has changed since it was kept. Runs on the loop; what is parsed is parsed in a thread."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path

from pipeline.connectors.protocol import ItemError
from pipeline.connectors.web.client import PoliteClient
from pipeline.connectors.web.links import joined, page_links, robot_words, sitemap_links

_PIECE_BYTES = 1 << 20
_MAX_HTML_BYTES = 4 << 20  # of a longer page, links are looked for in the beginning
_REDIRECTS = (301, 302, 303, 307, 308)
_MAX_STATE_LINKS = 2000


@dataclass(frozen=True)
class Page:
    """What came of a request; the content is in `file`.

    gone: there is no page. unchanged: it is as it was kept. indexed: whether it is a document. redirect: the page that
    it leads to instead. `etag` and `modified` are its validators, and `revision` is the hash of its content.
    """

    links: tuple[str, ...] = ()
    gone: bool = False
    unchanged: bool = False
    indexed: bool = True
    etag: str = ""
    modified: str = ""
    revision: str = ""
    file: Path = Path()
    redirect: str = ""

    @classmethod
    def of_state(cls, state: str) -> Page:
        """A page as it was kept."""
        fields = json.loads(state)
        return cls(
            tuple(fields["links"]),
            etag=fields["etag"],
            modified=fields["modified"],
            revision=fields["revision"],
        )

    @property
    def state(self) -> str:
        """A page with more links than are kept has no validators: the next scan needs all of them."""
        links = list(self.links[:_MAX_STATE_LINKS])
        etag, modified = (self.etag, self.modified) if len(links) == len(self.links) else ("", "")
        return json.dumps({"links": links, "etag": etag, "modified": modified, "revision": self.revision})

    @property
    def modified_ns(self) -> int:
        """When the server says that it has changed, or now."""
        try:
            return int(parsedate_to_datetime(self.modified).timestamp()) * 1_000_000_000
        except (ValueError, TypeError, OverflowError):
            return time.time_ns()

    async def content(self) -> AsyncGenerator[bytes, None]:
        with self.file.open("rb") as file:
            while piece := await asyncio.to_thread(file.read, _PIECE_BYTES):
                yield piece


async def fetch_page(client: PoliteClient, url: str, state: str, file: Path) -> Page:
    """Request a page that was kept with `state`, or never (""). Raises ItemError, and ConnectorError."""
    kept = Page.of_state(state) if state else None
    conditions = {}
    if kept is not None and kept.etag:
        conditions["If-None-Match"] = kept.etag
    if kept is not None and kept.modified:
        conditions["If-Modified-Since"] = kept.modified
    with file.open("w+b") as body:
        answer = await client.get(url, conditions, body)
    if answer.status == 304 and kept is not None:
        return Page(kept.links, unchanged=True)
    if answer.status in _REDIRECTS:
        target = joined(url, answer.headers.get("Location", ""))
        return Page((target,), indexed=False, redirect=target)
    if answer.status in (404, 410):
        return Page(gone=True)
    if answer.status != 200:
        raise ItemError(f"The server answered with the status {answer.status}.")
    return await asyncio.to_thread(_read, url, answer.headers, file, kept)


def _read(url: str, headers: Mapping[str, str], file: Path, kept: Page | None) -> Page:
    words = robot_words(headers.get("X-Robots-Tag", ""))
    mime = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    with file.open("rb") as body:
        revision = hashlib.file_digest(body, "sha256").hexdigest()
    links: tuple[str, ...] = ()
    indexed = "noindex" not in words
    if mime in ("text/html", "application/xhtml+xml", ""):
        with file.open("rb") as body:
            found = page_links(body.read(_MAX_HTML_BYTES).decode("utf-8", "replace"), url)
        links, indexed = found.urls, indexed and found.indexed
    elif "xml" in mime or url.partition("?")[0].endswith((".xml", ".xml.gz")):
        located = sitemap_links(file.read_bytes())
        links, indexed = located or (), indexed and located is None
    if "nofollow" in words:
        links = ()
    same = kept is not None and kept.revision == revision
    return Page(
        links,
        unchanged=same,
        indexed=indexed,
        etag=headers.get("ETag", ""),
        modified=headers.get("Last-Modified", ""),
        revision=revision,
        file=file,
    )
