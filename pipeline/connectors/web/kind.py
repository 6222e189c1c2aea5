"""The connector for web sites: pages of one host, below the folder of the start page, nearest first. Runs on the loop.

Each page is asked for with the ETag and the date that it had, and what it leads to is kept with it; so a scan without
changes transfers no content.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

from pipeline.connectors.addresses import HttpAddress, http_address
from pipeline.connectors.protocol import (
    Connection,
    ConnectorError,
    Fetched,
    Field,
    Item,
    ItemError,
    KeptItem,
    Options,
    Unchanged,
)
from pipeline.connectors.web.client import PoliteClient
from pipeline.connectors.web.page import Page, fetch_page
from semantik.core.errors import Invalid
from semantik.core.globs import Globs

_INDEX = "index.html"
_MAX_FAILURES = 10  # in a row
_MAX_QUEUED = 200_000


class WebKind:
    """Sources of the kind `web`."""

    title = "Web site"
    fields = (
        Field(
            "url",
            "Start page or sitemap",
            required=True,
            fixed=True,
            hint="Pages of the same host are read that are in its folder or below.",
        ),
        Field(
            "exclude",
            "Without",
            "list",
            hint="Globs of paths below that folder, such as archive/ or *.zip, one a line.",
        ),
        Field("max_pages", "Pages at most", "integer", default=1000, low=1, high=100_000),
    )

    def address(self, options: Options) -> str:
        start = http_address(str(options["url"]), "url")
        Globs(_exclude(options))
        return (start.origin + start.path.rpartition("/")[0]).rstrip("/")

    @asynccontextmanager
    async def connect(self, connection: Connection) -> AsyncIterator[WebConnector]:
        start = http_address(str(connection.options["url"]), "url")
        client = PoliteClient(start.origin, connection.network, connection.max_item_bytes)
        try:
            await client.read_robots(connection.folder / "robots.txt")
            if not client.may_fetch(start.url):
                raise ConnectorError(
                    f"{start.origin}/robots.txt asks not to read {start.url}: nothing is fetched."
                )
            yield WebConnector(client, start, self.address(connection.options), connection)
        finally:
            client.close()


class WebConnector:
    """The pages that `start` leads to, below `address`."""

    unchanged = False  # only each page can tell
    cursor = ""

    def __init__(
        self, client: PoliteClient, start: HttpAddress, address: str, connection: Connection
    ) -> None:
        self._client = client
        self._start = start.url
        self._address = address
        self._folder = connection.folder
        self._exclude = Globs(_exclude(connection.options))
        self._max_pages = int(str(connection.options["max_pages"]))
        self._queue: deque[str] = deque()
        self._seen: set[str] = set()
        self._urls: dict[str, str] = {}  # by name
        self._pages = self._failures = self._forbidden = 0
        self._full = False

    @property
    def warnings(self) -> Sequence[str]:
        said = []
        if self._full:
            said.append(
                f"{self._address} has more than {self._max_pages} pages (max_pages): the nearest were read."
            )
        if self._forbidden:
            said.append(
                f"{self._forbidden} addresses were left out, as {self._address} asks in its robots.txt."
            )
        return said

    async def items(self, kept: Mapping[str, KeptItem]) -> AsyncGenerator[Item, None]:
        self._add([self._start])
        while self._queue:
            if self._pages >= self._max_pages:
                self._full = True
                return
            url = self._queue.popleft()
            name = self._name(url)
            if self._urls.setdefault(name, url) == url:
                yield Item(name)

    async def fetch(self, item: Item, kept: KeptItem | None) -> Fetched | Unchanged | None:
        url = self._urls[item.name]
        try:
            page = await fetch_page(self._client, url, kept.state if kept else "", self._folder / "page")
        except ItemError as error:
            self._failed(url, kept, error)
            if kept is not None:  # the pages behind it still are there
                self._add(Page.of_state(kept.state).links)
            raise
        self._failures = 0
        if page.gone and url == self._start:
            raise ConnectorError(
                f"The start page {url} does not exist any more: what was read of the site is kept."
            )
        if page.redirect and url == self._start and not self._is_inside(page.redirect):
            raise ConnectorError(f"The start page {url} leads to {page.redirect}: add that instead.")
        self._add(page.links)
        if page.gone or not page.indexed:
            return None
        self._pages += 1
        if page.unchanged:
            return "unchanged"
        return Fetched(page.content(), page.modified_ns, page.revision, {"url": url}, page.state)

    def _failed(self, url: str, kept: KeptItem | None, error: ItemError) -> None:
        """Raises ConnectorError when there is no use in going on."""
        self._failures += 1
        if self._failures >= _MAX_FAILURES or (url == self._start and kept is None):
            raise ConnectorError(f"{url}: {error}") from error

    def _add(self, urls: Iterable[str]) -> None:
        """Queue those of the URLs that are pages of this source, once each."""
        for text in urls:
            try:
                url = http_address(text, "url").url
            except Invalid:  # another scheme, or no URL at all
                continue
            if url in self._seen or not self._is_inside(url) or len(self._seen) >= _MAX_QUEUED:
                continue
            self._seen.add(url)
            if self._client.may_fetch(url):
                self._queue.append(url)
            else:
                self._forbidden += 1

    def _is_inside(self, url: str) -> bool:
        if url == self._start:
            return True
        if not url.startswith(f"{self._address}/"):
            return False
        name = self._name(url)
        steps = name.split("/")
        folders = ("/".join(steps[:at]) for at in range(1, len(steps)))
        return not (
            self._exclude.match(name) or any(self._exclude.match(each, folder=True) for each in folders)
        )

    def _name(self, url: str) -> str:
        """The page's path below the source's address, as it stands in the URL."""
        path, mark, query = url.removeprefix(self._address).lstrip("/").partition("?")
        *folders, last = path.split("/")
        steps = [each or "_" for each in folders] + [last or _INDEX]
        return "/".join(steps) + mark + query.replace("/", "%2F")


def _exclude(options: Options) -> tuple[str, ...]:
    exclude = options["exclude"]
    assert isinstance(exclude, tuple)
    return exclude
