"""`semantik-demo`: starts a server, registers a user, indexes a folder with live progress, and searches it.

It uses the server as any client does, over REST and a WebSocket; only the start is in-process.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import sys
import tempfile
import textwrap
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from semantik.client.api import Client
from semantik.commands.cli_common import EXIT_STATUS, FAILED, USAGE_ERROR
from semantik.commands.operation_bar import show_progress
from semantik.config.loader import load
from semantik.config.settings import LogSettings
from semantik.core.errors import Conflict, Invalid, SemantikError

if TYPE_CHECKING:
    from semantik.server import Server

_DOCS = Path(__file__).resolve().parents[2] / "docs"
_DOCS_QUERIES = ("What do we do when the generator fails?", "Which store is the only source of truth?")
_GENERAL_QUERIES = ("What is this about?", "How do I get started?")
_USER = "demo"
_WIDTH = 96
_MAX_SHOWN = 50
_CALL_S = 2.0


class _DemoClient(Client):
    """Waits for a running call before the demo ends; a call that is cut off would be an error in the server's log."""

    async def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        request = asyncio.ensure_future(super().call(method, path, body, **query))
        request.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            return await asyncio.shield(request)
        except asyncio.CancelledError:
            await asyncio.wait({request}, timeout=_CALL_S)
            raise


def main(argv: list[str]) -> int:
    """Run the demo. Status 0: done or ended by a signal; 1: nothing could be indexed; 2: it could not start."""
    from semantik.app.lifecycle import Lifecycle
    from semantik.app.log_format import configure_logging

    arguments = parser().parse_args(argv)
    configure_logging(LogSettings(level="warning"))
    try:
        return Lifecycle().run(_show(arguments))
    except SemantikError as error:
        print(f"semantik-demo: {error}", file=sys.stderr)
        return USAGE_ERROR


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="semantik-demo", epilog=EXIT_STATUS, description="Index a folder and search it."
    )
    made.add_argument(
        "folder", nargs="?", default=str(_DOCS), help="the folder to index (default: Semantik's own docs)"
    )
    made.add_argument("--once", action="store_true", help="exit after the searches")
    made.add_argument(
        "--ask", action="append", metavar="QUESTION", help="a question to search for; repeatable"
    )
    made.add_argument("--data", help="a new folder for the data (default: a temporary one)")
    made.add_argument("--port", help="the port (default: 8080, or a free one when that is taken)")
    return made


async def _show(arguments: argparse.Namespace) -> int:
    folder = _folder(arguments.folder)
    queries = arguments.ask or (_DOCS_QUERIES if folder == _DOCS else _GENERAL_QUERIES)
    if not all(query.strip() for query in queries):
        raise Invalid("--ask expects a question, and this one is empty.")
    async with AsyncExitStack() as stack:
        data = arguments.data
        if data is None:
            data = stack.enter_context(tempfile.TemporaryDirectory(prefix="semantik-demo-"))
        running = _server(data, str(folder), arguments)
        print("Starting Semantik with embedded stores and the bundled model …", flush=True)
        server = await stack.enter_async_context(running)
        client, password = _DemoClient(server.url), secrets.token_urlsafe(9)
        await _register(client, password, data, server.setup_code)
        await _load_model(server)  # so that the bar does not include the loading of the model
        result = await _index(client, folder)
        if result is None or (not result["documents"] and (result["failed"] or result["skipped"])):
            return FAILED
        for query in queries if result["documents"] else ():
            _print_hits(query, (await client.call("POST", "search", {"query": query, "k": 3}))["hits"])
        if not arguments.once:
            print(f"\nSemantik is ready: {server.url}")
            print(f"Sign in as {_USER} with the password {password}. Ctrl-C stops it.", flush=True)
            await server.failure
    return 0


async def _load_model(server: Server) -> None:
    from pipeline.compute.messages import ModelSpec

    embedding = server.settings.embedding
    await server.pool.describe(ModelSpec(embedding.model, embedding.precision))


def _folder(name: str) -> Path:
    folder = Path(os.path.realpath(name))
    if not name or not folder.exists():
        raise Invalid(f"There is no folder {name!r}; name one that exists.")
    if not folder.is_dir():
        raise Invalid(f"{name} is a file; name the folder that contains it.")
    return folder


def _server(data: str, folder: str, arguments: argparse.Namespace) -> AbstractAsyncContextManager[Server]:
    import zxcvbn  # noqa: F401  # its lists, for the first password: loaded later they would hold the loop

    from semantik.app.listening import can_listen
    from semantik.server import running

    flags = {"data": data, "port": arguments.port, "documents.roots": [folder]}
    settings = load(environ={}, overrides={name: value for name, value in flags.items() if value is not None})
    if arguments.port is None and (arguments.once or not can_listen(settings.host, settings.port)):
        settings = replace(settings, port=0)
    return running(settings)


async def _register(client: Client, password: str, data: str, setup_code: str | None) -> None:
    if setup_code is None:
        raise Conflict(
            f"{data} has users already, and registration is closed, so the demo cannot add its own. Name a new folder "
            f"with --data, or start `bin/semantik-server --data {data}` and sign in as one of them."
        )
    await client.register(_USER, password, setup_code)
    await client.sign_in(_USER, password)


async def _index(client: Client, folder: Path) -> dict[str, Any] | None:
    """Create a collection from the folder and show the progress of its operation as a bar.

    Returns the counts of documents, failed and skipped; None unless the operation completed.
    """
    new = {"name": folder.name or "Everything", "source_path": str(folder)}
    created = await client.call("POST", "collections", new)
    last = await show_progress(client.watch(created["operation_id"]), Console(soft_wrap=True))
    if last["type"] != "operation_completed":
        print(last["message"])
        return None
    result: dict[str, Any] = (await client.call("GET", f"operations/{created['operation_id']}"))["result"]
    if result["documents"]:
        print(last["message"])
    else:
        await _explain(client, created["id"], folder, result)
    return result


async def _explain(client: Client, collection_id: str, folder: Path, result: dict[str, Any]) -> None:
    """Print why nothing is indexed; the reasons of failed files have been printed above."""
    failed, skipped = result["failed"], result["skipped"]
    if not failed and not skipped:
        print(f"There are no files to index in {folder}, so there is nothing to search.")
        return
    path = f"collections/{collection_id}/documents"
    for document in (await client.call("GET", path, status="skipped", limit=_MAX_SHOWN))["items"]:
        print(f"  {document['path']}: {document['error']['message']}")
    print(f"Nothing could be indexed in {folder}: {failed} failed, {skipped} skipped; see the reasons above.")


def _print_hits(query: str, hits: Sequence[dict[str, Any]]) -> None:
    print(f"\n\x1b[1m{query}\x1b[0m" if sys.stdout.isatty() else f"\n{query}")
    for hit in hits:
        location = f", page {hit['page']}" if hit["page"] else ""
        location += f", {hit['heading']}" if hit["heading"] else ""
        print(f"  {hit['scores']['fused']:.3f}  {hit['document']['path']}{location}")
        text = textwrap.shorten(hit["passage"], 3 * _WIDTH, placeholder=" …")
        print(textwrap.fill(text, _WIDTH, initial_indent=" " * 9, subsequent_indent=" " * 9))
    if not hits:
        print("  Nothing was found.")
