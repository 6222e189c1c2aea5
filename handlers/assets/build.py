"""The page's files as they are served: linked, under names that change with their content, compressed once.

All names of a build lie below a hash of the whole content, so a module finds the others by relative addresses, and a
browser may keep each file for ever. Reads files: call `Assets.current` in a thread.
"""

from __future__ import annotations

import gzip
import hashlib
import logging
import mimetypes
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from handlers.assets.linker import LinkError, link

log = logging.getLogger("semantik.http")

_ENTRY = "app.js"
_STYLE = "style.css"
_HASH_CHARACTERS = 16
_COMPRESSED = re.compile(r"text/|[/+](json|xml|javascript|wasm)$")
_STYLESHEETS = re.compile(r'( *<link rel="stylesheet" href="/static/([\w-]+\.css)">\n)+')
_STYLESHEET = re.compile(r'href="/static/([\w-]+\.css)"')
_STYLE_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_STYLE_SPACE = re.compile(r"\s*([{};,])\s*|(:)\s+")
_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm"}


@dataclass(frozen=True)
class Asset:
    """One file; `etag` is of its content. What a browser would not get smaller is not compressed."""

    body: bytes
    content_type: str
    etag: str

    @cached_property
    def gzipped(self) -> bytes | None:
        """Compressed when first asked for; takes some milliseconds for each 100 KB."""
        if not _COMPRESSED.search(self.content_type):
            return None
        return gzip.compress(self.body, 9, mtime=0)


@dataclass(frozen=True)
class Build:
    """`identity` is the hash of everything; `page` is index.html, whose links lead to the files of this build."""

    identity: str
    page: Asset
    folder: Path
    _linked: Mapping[str, bytes]
    _assets: dict[str, Asset] = field(default_factory=dict)

    def asset(self, name: str) -> Asset | None:
        """The file with this name; None if there is none. Reads and compresses it when it is first asked for."""
        if name not in self._assets:
            body = self._linked.get(name)
            if body is None:
                body = _read_below(self.folder, name)
            if body is None:
                return None
            self._assets[name] = _asset(name, body)
        return self._assets[name]


class Assets:
    """The files of `folder`, built anew when one of them has changed: whoever works on the page just loads it again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._state: object = None
        self._build: Build | None = None

    def current(self) -> Build:
        """The build of the files as they are now; takes about a millisecond if nothing has changed."""
        with self._lock:
            state = _state(self._folder)
            if self._build is None or state != self._state:
                self._build, self._state = build(self._folder), state
            return self._build

    @property
    def latest(self) -> Build | None:
        """The last build; None before the first call of `current`."""
        return self._build


def build(folder: Path) -> Build:
    """Link the modules and style sheets of `folder`; modules that cannot be linked are served one by one."""
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
    digest = hashlib.sha256()
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder)}\0{len(content)}\0".encode() + content)
    identity = digest.hexdigest()[:_HASH_CHARACTERS]
    page = files["index.html"].decode()
    linked = _link_modules(files)
    linked[_STYLE] = _squeezed_style(
        "".join(files[name].decode() for name in _STYLESHEET.findall(page))
    ).encode()
    page = _STYLESHEETS.sub(f'    <link rel="stylesheet" href="/static/{_STYLE}">\n', page)
    page = page.replace('"/static/', f'"/static/{identity}/')
    return Build(identity, _asset("index.html", page.encode()), folder, linked)


def _link_modules(files: Mapping[str, bytes]) -> dict[str, bytes]:
    modules = {name: body.decode() for name, body in files.items() if name.endswith(".js")}
    try:
        return {name: text.encode() for name, text in link(modules, _ENTRY).items()}
    except LinkError as error:
        log.warning("the page's modules are served one by one: %s", error)
        return {}


def _squeezed_style(text: str) -> str:
    """Without comments, and space that means nothing; no string in the style sheets has these characters."""
    return _STYLE_SPACE.sub(r"\1\2", _STYLE_COMMENT.sub("", text)).strip()


def _asset(name: str, body: bytes) -> Asset:
    kind = _TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    return Asset(body, kind, hashlib.sha256(body).hexdigest()[:_HASH_CHARACTERS])


def _read_below(folder: Path, name: str) -> bytes | None:
    path = (folder / name).resolve()
    return path.read_bytes() if path.is_relative_to(folder.resolve()) and path.is_file() else None


def _state(folder: Path) -> object:
    found = ((path, path.stat()) for path in sorted(folder.rglob("*")))
    return tuple((str(path), stat.st_mtime_ns, stat.st_size) for path, stat in found)
