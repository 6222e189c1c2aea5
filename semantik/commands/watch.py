"""`semantik watch`: follows the operations of a running server, live."""

from __future__ import annotations

import argparse
import json
from typing import Any

from rich.console import Console
from rich.text import Text

from semantik.commands.cli_common import FAILED, print_output, run_command
from semantik.commands.operation_bar import has_ended, show_progress
from semantik.commands.server_connection import connect, server_flags

_PROG = "semantik watch"
_COLOURS = {"error": "red", "operation_failed": "red", "operation_completed": "green"}
_QUIET = frozenset({"presence", "heartbeat"})


def main(argv: list[str]) -> int:
    """Watch, and return the exit status: 0 ended well, 1 the operation failed or a failure, 2 usage error."""
    return run_command(_PROG, _watch(parser().parse_args(argv)))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog=_PROG,
        description="Follow one operation to its end, or all that you may see until Ctrl-C. "
        "Exit status 0: it completed; 1: it did not, or the server refused; 2: usage error; 130: Ctrl-C.",
        parents=[server_flags()],
    )
    made.add_argument("operation", nargs="?", metavar="OPERATION", help="its id (default: all operations)")
    return made


async def _watch(arguments: argparse.Namespace) -> int:
    client = await connect(arguments)
    one = arguments.operation
    messages = client.watch(one) if one else client.watch_all()
    console = Console(soft_wrap=True, highlight=False)
    if one and not arguments.json:
        last = await show_progress(messages, console)
        console.print(last.get("message", ""), markup=False)
        return 0 if last.get("type") == "operation_completed" else FAILED
    async for message in messages:
        if arguments.json:
            print_output(json.dumps(message, ensure_ascii=False))
        elif message["type"] not in _QUIET:
            console.print(_line(message))
        if one and has_ended(message):
            return 0 if message["type"] == "operation_completed" else FAILED
    return 0


def _line(message: dict[str, Any]) -> Text:
    kind = message["type"]
    return Text.assemble(
        (str(message.get("timestamp", ""))[11:19] + "  ", "dim"),
        (f"{kind.replace('_', ' '):<24}", _COLOURS.get(kind, "cyan")),
        str(message.get("message") or ""),
    )
