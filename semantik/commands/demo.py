"""`semantik-demo`: the main job, shown: a server, a first user, a folder indexed live, two questions, the hits.

It uses the server as any client would, over REST and a WebSocket; only starting it is done from inside.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import signal
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

from semantik.client import Client
from semantik.errors import SemantikError
from semantik.settings import Log, Settings

if TYPE_CHECKING:
    from semantik.server import Server

_DOCS = Path(__file__).resolve().parents[2] / "docs"
_OURS = ("What do we do when the generator fails?", "Which store is the only source of truth?")
_GENERAL = ("What is this about?", "How do I get started?")
_USER = "demo"
_WIDTH = 96
_FAILED, _BAD_USAGE = 1, 2
_LAST = ("operation_completed", "operation_failed", "operation_cancelled")


def main(argv: list[str]) -> int:
    """Run the demo. Status 0: done or ended by a signal; 1: the operation failed; 2: it could not begin."""
    from semantik.logs import set_up

    arguments = _parser().parse_args(argv)
    set_up(Log(level="warning"))
    try:
        return asyncio.run(_until_signal(arguments))
    except SemantikError as error:
        print(f"semantik-demo: {error}", file=sys.stderr)
        return _BAD_USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="semantik-demo", description="Index a folder and ask it questions.")
    parser.add_argument("folder", nargs="?", type=Path, default=_DOCS, help="what to index (our own docs)")
    parser.add_argument("--once", action="store_true", help="end after the questions")
    parser.add_argument("--ask", action="append", metavar="QUESTION", help="a question of yours; repeatable")
    parser.add_argument("--data", type=Path, help="a new folder to keep the data in (a temporary one)")
    parser.add_argument("--port", type=int, help="the port (8080, or a free one when that is taken)")
    return parser


async def _until_signal(arguments: argparse.Namespace) -> int:
    showing = asyncio.create_task(_show(arguments))
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, showing.cancel)
    try:
        return await showing
    except asyncio.CancelledError:
        return 0


async def _show(arguments: argparse.Namespace) -> int:
    folder = arguments.folder.expanduser().resolve()
    async with AsyncExitStack() as stack:
        data = arguments.data
        if data is None:
            data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="semantik-demo-")))
        print("Starting Semantik on stores of its own and the bundled model …", flush=True)
        server = await stack.enter_async_context(_server(Settings(data=data), arguments))
        await server.pool.wait_ready()  # so that the bar shows the work, and not the loading
        client, password = Client(server.url), secrets.token_urlsafe(9)
        await client.register(_USER, password)
        await client.sign_in(_USER, password)
        if not await _index(client, folder):
            return _FAILED
        for question in arguments.ask or (_OURS if folder == _DOCS else _GENERAL):
            _print_answer(
                question, (await client.call("POST", "search", {"query": question, "k": 3}))["hits"]
            )
        if not arguments.once:
            print(f"\nSemantik is ready: {server.url}")
            print(f"Sign in as {_USER} with the password {password}. Ctrl-C ends it.", flush=True)
            await server.failure
    return 0


def _server(settings: Settings, arguments: argparse.Namespace) -> AbstractAsyncContextManager[Server]:
    from semantik.server import free_port, running

    port = arguments.port
    if port is None:
        port = settings.port if free_port(settings) and not arguments.once else 0
    return running(replace(settings, port=port))


async def _index(client: Client, folder: Path) -> bool:
    """Make a collection of the folder and show its operation's frames as a bar; True when it completed."""
    wish = {"name": folder.name or "Everything", "source_path": str(folder)}
    operation_id = (await client.call("POST", "collections", wish))["operation_id"]
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
        async for frame in client.watch(operation_id):
            kind = frame["type"]
            _draw(bar, task, frame)
            if kind == "error":
                bar.console.print(f"  {frame['path']}: {frame['message']}", markup=False)
            if kind in _LAST:
                break
    print(frame["message"])
    return kind == "operation_completed"


def _draw(bar: Progress, task: Any, frame: dict[str, Any]) -> None:
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
