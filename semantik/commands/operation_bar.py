"""Shows an operation as a bar while it runs. Runs on the loop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

_TERMINAL = ("operation_completed", "operation_failed", "operation_cancelled")


async def show_progress(messages: AsyncIterator[dict[str, Any]], console: Console) -> dict[str, Any]:
    """Draw a bar until the operation ends, with a line for each problem; returns its last message."""
    columns = (
        TextColumn("{task.description:<22}"),
        BarColumn(40),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[file]}"),
    )
    last: dict[str, Any] = {}
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("waiting", total=None, file="")
        async for message in messages:
            last = message
            _draw(bar, task, message)
            for line in _problems(message):
                console.print(f"  {line}", markup=False)
            if has_ended(message):
                break
    return last


def has_ended(message: dict[str, Any]) -> bool:
    """Whether this is the message that an operation ends with."""
    return message["type"] in _TERMINAL


def counted_files(message: dict[str, Any]) -> tuple[int | None, int | None]:
    """How many files are done, and of how many, where the message says so."""
    data = message.get("data") or {}
    done, total = (data.get(f"{name}_files", data.get(name)) for name in ("processed", "total"))
    return done, total


def _problems(message: dict[str, Any]) -> list[str]:
    if message["type"] == "error" and not message["fatal"]:  # a fatal one is repeated when the operation ends
        return [f"{message['path']}: {message['message']}"]
    return message["data"]["warnings"] if message["type"] == "scanning_completed" else []


def _draw(bar: Progress, task: TaskID, message: dict[str, Any]) -> None:
    if message["type"] == "presence":
        return
    file, (done, total) = message["data"].get("current_file"), counted_files(message)
    bar.update(
        task,
        description=message["type"].replace("_", " "),
        completed=done,
        total=total or None,
        file=Path(file).name if file else "",
    )
