"""`semantik index`: has a running server index a folder, and shows the progress."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from rich.console import Console

from semantik.client.api import Client
from semantik.commands.cli_common import FAILED, print_output, run_command
from semantik.commands.operation_bar import has_ended, show_progress
from semantik.commands.server_connection import connect, find_collection, server_flags
from semantik.core.errors import Invalid

_PROG = "semantik index"


def main(argv: list[str]) -> int:
    """Index, and return the exit status: 0 done (with --no-wait: queued), 1 failed, 2 usage error."""
    return run_command(_PROG, _index(parser().parse_args(argv)))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog=_PROG,
        description="Index a folder, or scan it again: only what is new or changed is read. "
        "Exit status 0: done; 1: the operation failed, or the server refused; 2: usage error.",
        parents=[server_flags()],
    )
    made.add_argument("folder", metavar="FOLDER", help="a folder on the server's machine")
    made.add_argument(
        "-c",
        "--collection",
        metavar="NAME",
        help="into this collection, by its name or id; made if it is new (default: the folder's name)",
    )
    made.add_argument("--model", metavar="NAME", help="the embedding model of a new collection")
    made.add_argument("--no-wait", action="store_true", help="queue it, and exit")
    return made


async def _index(arguments: argparse.Namespace) -> int:
    client = await connect(arguments)
    path = str(Path(arguments.folder).resolve())
    name = arguments.collection or Path(path).name or "Everything"
    operation_id = await _start(client, name, path, arguments.model)
    if arguments.no_wait:
        print_output(json.dumps({"operation_id": operation_id}) if arguments.json else operation_id)
        return 0
    if arguments.json:
        last: dict[str, Any] = {}
        async for message in client.watch(operation_id):
            last = message
            print_output(json.dumps(message, ensure_ascii=False))
            if has_ended(message):
                break
    else:
        console = Console(soft_wrap=True)
        last = await show_progress(client.watch(operation_id), console)
        console.print(await _summary(client, operation_id, last), markup=False)
    return 0 if last.get("type") == "operation_completed" else FAILED


async def _summary(client: Client, operation_id: str, last: dict[str, Any]) -> str:
    """What the operation came to, in one line."""
    result = (await client.call("GET", f"operations/{operation_id}"))["result"]
    if last.get("type") != "operation_completed" or result is None:
        return str(last.get("message", ""))
    counts = [_plural(result[key], key[:-1]) for key in ("documents", "chunks")]
    counts += [f"{result[key]} {key}" for key in ("failed", "skipped") if result[key]]
    return f"{', '.join(counts)}."


def _plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


async def _start(client: Client, name: str, path: str, model: str | None) -> str:
    """Queue the operation that reads the folder: of a new collection, a new source, or a source that is there."""
    found = await find_collection(client, name)
    if found is None:
        body = {"name": name, "source_path": path, **({"embedding_model": model} if model else {})}
        return str((await client.call("POST", "collections", body))["operation_id"])
    if model and model != found["embedding_model"]:
        raise Invalid(
            f"The collection {found['name']!r} has the model {found['embedding_model']}; "
            "`semantik reindex --model` gives it another one."
        )
    collection = f"collections/{found['id']}"
    for source in (await client.call("GET", f"{collection}/sources"))["items"]:
        if source["path"] == path:
            return str(
                (await client.call("POST", f"{collection}/append", {"source_id": source["id"]}))[
                    "operation_id"
                ]
            )
    return str((await client.call("POST", f"{collection}/sources", {"path": path}))["operation_id"])
