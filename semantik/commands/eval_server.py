"""A server of its own for `semantik-eval`: indexes a judged set or a folder in a data folder that the next run reuses.

It is reused only by the same documents, settings and version of what makes the index.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from semantik import __version__
from semantik.client.api import Client
from semantik.commands.operation_bar import counted_files
from semantik.config.settings import Settings
from semantik.core.errors import Unavailable
from semantik.core.models import TERMINAL
from semantik.evaluation.judged_set import JudgedDocument

_ROOT = Path(__file__).resolve().parents[2]
# The code that decides what is stored of documents, and the code that makes indexes of that.
_READING = ("pipeline/embedding", "pipeline/extraction", "pipeline/ingest")
_INDEXING = ("semantik/analysis", "semantik/index")
_INDEXES = ("index", "keywords")  # folders in the data folder that the server can make again
_RECORD = "evaluation.json"  # written last
_PER_FOLDER = 1000
_USER = "evaluation"
_READY_S = 900

Progress = Callable[[str, int, int], None]
"""`progress(what, done, total)`."""


@dataclass(frozen=True)
class Indexed:
    """A signed-in client of a running server, and the collection with the documents.

    `name_of(path)` is the id of a document of the judged set; None where a folder was indexed as it is.
    """

    client: Client
    collection_id: str
    name_of: Callable[[str], str] | None


@asynccontextmanager
async def indexed(
    documents: Sequence[JudgedDocument] | None,
    folder: Path | None,
    cache: Path,
    settings: Settings,
    progress: Progress,
) -> AsyncIterator[Indexed]:
    """A server with these documents, or with the files of `folder`. Raises Unavailable if they cannot be indexed."""
    from semantik.server import running

    home = cache / _digest(documents, folder, settings)
    record = home / _RECORD
    saved: dict[str, str] = json.loads(record.read_text()) if record.exists() else {}
    indexing = _code_digest(_INDEXING)
    if not saved:
        shutil.rmtree(home, ignore_errors=True)
    elif saved["indexing"] != indexing:
        # The server makes it again from what it has stored.
        for name in _INDEXES:
            shutil.rmtree(home / "data" / name, ignore_errors=True)
    files = folder
    if documents is not None:
        files = home / "documents"
        if not saved:
            _write(documents, files)
    assert files is not None
    own = replace(
        settings,
        data=home / "data",
        host="127.0.0.1",
        port=0,
        mongo_url="",
        redis_url="",
        documents=replace(settings.documents, roots=(str(files),)),
        rate_limits=replace(settings.rate_limits, search_per_s=0.0),  # nobody else asks it
    )
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(running(own))
        client = Client(server.url)
        if saved:
            await client.sign_in(_USER, saved["password"])
        else:
            saved = await _index(client, files, progress, server.setup_code or "")
        await _wait_until_ready(client, saved["collection_id"], progress)
        record.touch(0o600)
        record.write_text(json.dumps(saved | {"indexing": indexing}))
        names = None if documents is None else [document.id for document in documents]
        name_of = None if names is None else partial(_document_id, names)
        yield Indexed(client, saved["collection_id"], name_of)


def _document_id(ids: Sequence[str], path: str) -> str:
    return ids[int(Path(path).stem)]


def _digest(documents: Sequence[JudgedDocument] | None, folder: Path | None, settings: Settings) -> str:
    """16 hex digits of the documents, of the settings that shape the index, and of the code that builds it."""
    digest = hashlib.blake2b(digest_size=8)
    digest.update(f"{__version__} {settings.embedding} {settings.index} {settings.documents}".encode())
    digest.update(_code_digest(_READING).encode())
    for piece in _pieces(documents, folder):
        digest.update(piece.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()


def _code_digest(folders: Sequence[str]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for folder in folders:
        for path in sorted((_ROOT / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _pieces(documents: Sequence[JudgedDocument] | None, folder: Path | None) -> Iterator[str]:
    if documents is not None:
        for document in documents:
            yield json.dumps(asdict(document))
    if folder is not None:
        yield str(folder)
        for path in sorted(folder.rglob("*")):
            stat = path.stat() if path.is_file() else None
            if stat:
                yield f"{path} {stat.st_size} {stat.st_mtime_ns}"


def _write(documents: Sequence[JudgedDocument], folder: Path) -> None:
    """A text file for each document, named by its position; a title is its first line, as people write it."""
    for number, document in enumerate(documents):
        path = folder / f"{number // _PER_FOLDER:04}" / f"{number:07}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = f"{document.title}\n\n{document.text}" if document.title else document.text
        path.write_text(text, "utf-8", "replace")


async def _index(client: Client, files: Path, progress: Progress, setup_code: str) -> dict[str, str]:
    """Index the files in a new collection; returns what the next run needs. Raises Unavailable."""
    password = secrets.token_urlsafe(18)
    await client.register(_USER, password, setup_code)
    await client.sign_in(_USER, password)
    created = await client.call("POST", "collections", {"name": "Evaluation", "source_path": str(files)})
    async for message in client.watch(created["operation_id"]):
        done, total = counted_files(message)
        if isinstance(done, int) and isinstance(total, int):
            progress("indexing", done, total)
        if message.get("status") in TERMINAL:
            break
    record = await client.call("GET", f"operations/{created['operation_id']}")
    if record["status"] != "completed":
        raise Unavailable(f"The documents could not be indexed: {record.get('error')}")
    return {"collection_id": created["id"], "password": password}


async def _wait_until_ready(client: Client, collection_id: str, progress: Progress) -> None:
    """Wait until a search uses meaning and words. Raises Unavailable when that takes too long."""
    query = {"query": "ready", "k": 1, "collection_ids": [collection_id]}
    for second in range(_READY_S):
        if not (await client.call("POST", "search", query)).get("degraded"):
            return
        progress("preparing", second, _READY_S)
        await asyncio.sleep(1)
    raise Unavailable("The index of the documents is not ready; the log of the server may say why.")


def default_cache() -> Path:
    """The folder for indexed sets: `semantik-eval` in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "semantik-eval"
