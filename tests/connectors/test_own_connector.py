"""A connector of another package: found by its entry point, fetched, and what goes wrong in one is told."""

from __future__ import annotations

import re
import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fetched_source import FetchedSource
from support.server import ROOT

from pipeline.connectors import registry
from pipeline.connectors.protocol import ConnectorError
from semantik.core.errors import Forbidden

pytestmark = pytest.mark.gen_test

_MODULE = """
from contextlib import asynccontextmanager

from pipeline.connectors.protocol import Fetched, Field, Item, ItemError

PAGES = {}
listed = []


class Wiki:
    title = "Wiki"
    fields = (Field("name", "Name", required=True, fixed=True), Field("token", "Token", "secret"))

    def address(self, options):
        return f"wiki:{options['name']}"

    @asynccontextmanager
    async def connect(self, connection):
        assert connection.options["token"] == "a secret token"
        listed.append(connection.cursor)
        yield Pages(connection.cursor)


class Pages:
    warnings = ("The wiki is old.",)
    cursor = "seen"

    def __init__(self, cursor):
        self.unchanged = cursor == "seen" and not PAGES

    async def items(self, kept):
        for name in PAGES:
            yield Item(name)

    async def fetch(self, item, kept):
        text = PAGES[item.name]
        if isinstance(text, Exception):
            raise text
        if text is None:
            return None
        return "unchanged" if kept and kept.state == text else Fetched(_pieces(text), 10**18, "", {}, text)


async def _pieces(text):
    for letter in text:
        yield letter.encode()


KIND = Wiki()
"""


@pytest.fixture
def wiki(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FetchedSource]:
    package = tmp_path / "package"
    info = package / "wiki_connector-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: wiki-connector\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[semantik.connectors]\nwiki = wiki_connector:KIND\n")
    (package / "wiki_connector.py").write_text(_MODULE)
    monkeypatch.syspath_prepend(package)
    registry._installed.cache_clear()
    options = {"name": "home", "token": "a secret token"}
    yield FetchedSource(tmp_path / "data", "wiki", options, kinds=("wiki",))
    registry._installed.cache_clear()
    del sys.modules["wiki_connector"]


async def test_a_kind_of_another_package_is_used_like_ours(wiki: FetchedSource, tmp_path: Path) -> None:
    module = sys.modules["wiki_connector"]
    module.PAGES.update({"a": "Alpha", "b/c": "Gamma", ".git/config": "no document", "gone": None})
    assert await wiki.scan() == {"a": "Alpha", "b/c": "Gamma"}
    assert wiki.warnings == ["The wiki is old."]
    assert "a secret token" not in str(wiki.source) and wiki.source.options == {"name": "home"}

    module.PAGES.update({"a": module.ItemError("It is locked."), "d": "Delta", "gone": "Back"})
    assert await wiki.scan() == {"a": "Alpha", "b/c": "Gamma", "d": "Delta", "gone": "Back"}
    assert "wiki:home/a: It is locked." in wiki.warnings and wiki.fetched == 2
    module.PAGES["a"] = "Alpha"
    await wiki.scan()
    module.PAGES.clear()
    assert set(await wiki.scan()) == {"a", "b/c", "d", "gone"}
    assert module.listed == ["", "seen", "", "seen"]  # no cursor was saved while an item was missing

    with pytest.raises(Forbidden, match="the kinds are folder, wiki"):
        FetchedSource(tmp_path / "other", "git", {"url": "https://example.org/a.git"}, kinds=("wiki",))


async def test_names_that_cannot_be_and_another_key_are_told(wiki: FetchedSource) -> None:
    module = sys.modules["wiki_connector"]
    module.PAGES.update({"a//b": "Alpha"})
    with pytest.raises(ConnectorError, match="a name that cannot be"):
        await wiki.scan()
    (wiki.settings.data / "connectors.key").unlink()
    again = FetchedSource(wiki.settings.data, "wiki", {"name": "other", "token": "x"}, kinds=("wiki",))
    again.source = wiki.source
    with pytest.raises(ConnectorError, match="give the source its password again"):
        await again.scan()


async def test_the_connector_of_the_how_to_works_as_its_text_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ROOT / "docs" / "how-to" / "connectors.md").read_text()
    project = tomllib.loads(re.findall(r"^```toml\n(.*?)^```", text, re.DOTALL | re.MULTILINE)[-1])
    [module] = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    [(kind, target)] = project["project"]["entry-points"]["semantik.connectors"].items()
    [package] = project["tool"]["setuptools"]["packages"]
    folder, info = tmp_path / "site" / package, tmp_path / "site" / "my_package-1.0.dist-info"
    folder.mkdir(parents=True)
    info.mkdir()
    (folder / "__init__.py").touch()
    (folder / f"{target.partition(':')[0].rpartition('.')[2]}.py").write_text(module)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[semantik.connectors]\n{kind} = {target}\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    registry._installed.cache_clear()
    pages = tmp_path / "pages"
    pages.mkdir()
    try:
        source = FetchedSource(
            tmp_path / "data", kind, {"folder": str(pages), "token": "x"}, kinds=("git", kind)
        )
        assert "x" not in source.source.options.values() and source.source.secret
        (pages / "lamp.md").write_text("The lamp is green.")
        assert await source.scan() == {"lamp.md": "The lamp is green."}
        (pages / "rope.md").write_text("A bowline does not slip.")
        (pages / "lamp.md").unlink()
        assert await source.scan() == {"rope.md": "A bowline does not slip."}
        assert source.origins["rope.md"] == {"page": "rope"}
        shutil.rmtree(pages)
        with pytest.raises(ConnectorError, match="There is no wiki"):
            await source.scan()
    finally:
        registry._installed.cache_clear()
