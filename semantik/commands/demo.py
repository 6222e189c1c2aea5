"""`semantik-demo`: the main job, shown: a server, a first user, a folder indexed live, two questions, the hits.

It uses the server as any client would, over REST and a WebSocket; only starting it is done from inside.
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
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from semantik.client.api import Client
from semantik.config.loader import load
from semantik.config.settings import LogSettings
from semantik.core.errors import Conflict, Invalid, SemantikError

if TYPE_CHECKING:
    from semantik.server import Server

_DOCS = Path(__file__).resolve().parents[2] / "docs"
_OURS = ("What do we do when the generator fails?", "Which store is the only source of truth?")
_GENERAL = ("What is this about?", "How do I get started?")
_USER = "demo"
_WIDTH = 96
_MOST_SHOWN = 50
_CALL_S = 2.0
_FAILED, _BAD_USAGE = 1, 2
_LAST = ("operation_completed", "operation_failed", "operation_cancelled")


class _Caller(Client):
    """Lets a call that is under way come to its end before the demo does: cut off, it would be a fault in the log."""

    async def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        calling = asyncio.ensure_future(super().call(method, path, body, **query))
        calling.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            return await asyncio.shield(calling)
        except asyncio.CancelledError:
            await asyncio.wait({calling}, timeout=_CALL_S)
            raise


def main(argv: list[str]) -> int:
    """Run the demo. Status 0: done or ended by a signal; 1: nothing could be indexed; 2: it could not begin."""
    from semantik.app.lifecycle import Lifecycle
    from semantik.app.log_format import set_up

    arguments = _parser().parse_args(argv)
    set_up(LogSettings(level="warning"))
    try:
        return Lifecycle().run(_show(arguments))
    except SemantikError as error:
        print(f"semantik-demo: {error}", file=sys.stderr)
        return _BAD_USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="semantik-demo", description="Index a folder and ask it questions.")
    parser.add_argument("folder", nargs="?", default=str(_DOCS), help="what to index (our own docs)")
    parser.add_argument("--once", action="store_true", help="end after the questions")
    parser.add_argument("--ask", action="append", metavar="QUESTION", help="a question of yours; repeatable")
    parser.add_argument("--data", help="a new folder to keep the data in (a temporary one)")
    parser.add_argument("--port", help="the port (8080, or a free one when that is taken)")
    return parser


async def _show(arguments: argparse.Namespace) -> int:
    folder = _folder(arguments.folder)
    questions = arguments.ask or (_OURS if folder == _DOCS else _GENERAL)
    if not all(question.strip() for question in questions):
        raise Invalid("--ask expects a question, and this one is empty.")
    async with AsyncExitStack() as stack:
        data = arguments.data
        if data is None:
            data = stack.enter_context(tempfile.TemporaryDirectory(prefix="semantik-demo-"))
        starting = _server(data, arguments)
        print("Starting Semantik on stores of its own and the bundled model …", flush=True)
        server = await stack.enter_async_context(starting)
        client, password = _Caller(server.url), secrets.token_urlsafe(9)
        await _register(client, password, data)
        await _load_model(server)  # so that the bar shows the work, and not the loading
        result = await _index(client, folder)
        if result is None or (not result["documents"] and (result["failed"] or result["skipped"])):
            return _FAILED
        for question in questions if result["documents"] else ():
            _print_answer(
                question, (await client.call("POST", "search", {"query": question, "k": 3}))["hits"]
            )
        if not arguments.once:
            print(f"\nSemantik is ready: {server.url}")
            print(f"Sign in as {_USER} with the password {password}. Ctrl-C ends it.", flush=True)
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
        raise Invalid(f"{name} is a file; name the folder that it lies in.")
    return folder


def _server(data: str, arguments: argparse.Namespace) -> AbstractAsyncContextManager[Server]:
    from semantik.server import free_port, running

    given = {"data": data, "port": arguments.port}
    settings = load(environ={}, overrides={name: value for name, value in given.items() if value is not None})
    if arguments.port is None and (arguments.once or not free_port(settings)):
        settings = replace(settings, port=0)
    return running(settings)


async def _register(client: Client, password: str, data: str) -> None:
    if not (await client.call("GET", "auth/setup"))["needs_first_user"]:
        raise Conflict(
            f"{data} has users already, and registration is closed, so the demo cannot add its own. Name a new folder "
            f"with --data, or use that one with `bin/semantik-server --data {data}` and sign in as one of them."
        )
    await client.register(_USER, password)
    await client.sign_in(_USER, password)


async def _index(client: Client, folder: Path) -> dict[str, Any] | None:
    """Make a collection of the folder and show its operation's frames as a bar; None unless it completed.

    Returns how many documents are indexed, failed and skipped.
    """
    wish = {"name": folder.name or "Everything", "source_path": str(folder)}
    made = await client.call("POST", "collections", wish)
    columns = (
        TextColumn("{task.description:<22}"),
        BarColumn(40),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[file]}"),
    )
    kind = ""
    with Progress(*columns, console=Console(soft_wrap=True)) as bar:
        task = bar.add_task("waiting", total=None, file="")
        async for frame in client.watch(made["operation_id"]):
            kind = frame["type"]
            _draw(bar, task, frame)
            for line in _complaints(frame):
                bar.console.print(f"  {line}", markup=False)
            if kind in _LAST:
                break
    if kind != "operation_completed":
        print(frame["message"])
        return None
    result: dict[str, Any] = (await client.call("GET", f"operations/{made['operation_id']}"))["result"]
    if result["documents"]:
        print(frame["message"])
    else:
        await _tell_why(client, made["id"], folder, result)
    return result


def _complaints(frame: dict[str, Any]) -> list[str]:
    if frame["type"] == "error" and not frame["fatal"]:  # what ended it is told with its end
        return [f"{frame['path']}: {frame['message']}"]
    return frame["data"]["warnings"] if frame["type"] == "scanning_completed" else []


async def _tell_why(client: Client, collection_id: str, folder: Path, result: dict[str, Any]) -> None:
    """Say why nothing is indexed; of the files that failed the reasons stand above already."""
    failed, skipped = result["failed"], result["skipped"]
    if not failed and not skipped:
        print(f"There are no files to index in {folder}, so there is nothing to ask.")
        return
    path = f"collections/{collection_id}/documents"
    for document in (await client.call("GET", path, status="skipped", limit=_MOST_SHOWN))["items"]:
        print(f"  {document['path']}: {document['error']['message']}")
    print(f"Nothing could be indexed in {folder}: {failed} failed, {skipped} skipped, for the reasons above.")


def _draw(bar: Progress, task: Any, frame: dict[str, Any]) -> None:
    if frame["type"] == "presence":
        return
    data = frame["data"]
    done, total = (
        data.get("processed_files", data.get("processed")),
        data.get("total_files", data.get("total")),
    )
    bar.update(
        task,
        description=frame["type"].replace("_", " "),
        completed=done,
        total=total or None,
        file=Path(data["current_file"]).name if data.get("current_file") else "",
    )


def _print_answer(question: str, hits: Sequence[dict[str, Any]]) -> None:
    print(f"\n\x1b[1m{question}\x1b[0m" if sys.stdout.isatty() else f"\n{question}")
    for hit in hits:
        place = f", page {hit['page']}" if hit["page"] else ""
        place += f", {hit['heading']}" if hit["heading"] else ""
        print(f"  {hit['score']:.3f}  {hit['document']['path']}{place}")
        passage = textwrap.shorten(hit["passage"], 3 * _WIDTH, placeholder=" …")
        print(textwrap.fill(passage, _WIDTH, initial_indent=" " * 9, subsequent_indent=" " * 9))
    if not hits:
        print("  Nothing was found.")
