"""`semantik search`: asks a running server, and prints the hits as text or JSON."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from semantik.commands.cli_common import FAILED, print_output, run_command
from semantik.commands.server_connection import connect, find_collection, server_flags
from semantik.core.errors import Invalid
from semantik.core.upload_paths import shown_path

_PROG = "semantik search"
_MODES = ("hybrid", "meaning", "words")
_MAX_WIDTH = 100
_SHOWN_LINES = 4
_MAX_HITS = 100


def main(argv: list[str]) -> int:
    """Search, and return the exit status: 0 found, 1 nothing was found or a failure, 2 usage error."""
    return run_command(_PROG, _search(parser().parse_args(argv)))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog=_PROG,
        description="Search the documents of a running server, in words or by meaning. "
        "Exit status 0: found; 1: nothing was found, or the server refused; 2: usage error.",
        parents=[server_flags()],
    )
    made.add_argument(
        "query", nargs="+", metavar="WORD", help="the query; see docs/reference/query-language.md"
    )
    made.add_argument(
        "-c",
        "--collection",
        action="append",
        default=[],
        metavar="NAME",
        help="search in this collection only, by its name or id; repeatable",
    )
    made.add_argument(
        "-k", type=_count, default=10, metavar="N", help=f"hits, 1 to {_MAX_HITS} (%(default)s)"
    )
    made.add_argument("--mode", choices=_MODES, default=_MODES[0], help="(%(default)s)")
    made.add_argument("--chunks", action="store_true", help="several hits of one document, not its best only")
    made.add_argument("--exactly", action="store_true", help="do not correct misspelled words")
    return made


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MAX_HITS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {_MAX_HITS}")
    return int(text)


async def _search(arguments: argparse.Namespace) -> int:
    client = await connect(arguments)
    body: dict[str, Any] = {
        "query": " ".join(arguments.query),
        "k": arguments.k,
        "mode": arguments.mode,
        "correct": not arguments.exactly,
    }
    if not arguments.chunks:
        body["group_by"] = "document"
    if arguments.collection:
        body["collection_ids"] = []
        for name in arguments.collection:
            found = await find_collection(client, name)
            if found is None:
                raise Invalid(f"There is no collection {name!r} that you may read.")
            body["collection_ids"].append(found["id"])
    answer = await client.call("POST", "search", body)
    if arguments.json:
        print_output(json.dumps(answer, indent=2, ensure_ascii=False))
    else:
        _print(answer, Console(highlight=False, soft_wrap=True))
    return 0 if answer["hits"] else FAILED


def _print(answer: dict[str, Any], console: Console) -> None:
    for each in answer["corrections"]:
        console.print(Text(f"Searched for “{each['to']}” instead of “{each['from']}”.", style="dim"))
    if answer["degraded"]:
        console.print(Text(str(answer["degraded"]), style="yellow"))
    for number, hit in enumerate(answer["hits"], 1):
        console.print(_heading(number, hit))
        console.print(_passage(hit, min(console.width, _MAX_WIDTH) - 4))
    if not answer["hits"]:
        console.print("Nothing was found.")
    elif answer["relevance"] == "weak":
        console.print(Text("No match is better than weak.", style="yellow"))


def _heading(number: int, hit: dict[str, Any]) -> Text:
    document = hit["document"]
    place = [shown_path(document["path"]) + (f"#{document['part']}" if document["part"] else "")]
    if hit["page"]:
        place.append(f"page {hit['page_label'] or hit['page']}")
    if hit["heading"]:
        place.append(hit["heading"])
    relevance = hit["relevance"]  # None for a query of filters alone
    copies = f"  also in {len(hit['also_in'])} more" if hit["also_in"] else ""
    return Text.assemble(
        (f"{number:>3} ", "dim"),
        (document["title"] or document["name"], "bold"),
        (f"  {relevance}" if relevance else "", {"strong": "green", "fair": "cyan"}.get(relevance, "yellow")),
        (f"\n    {', '.join(place)}{copies}", "dim"),
    )


def _passage(hit: dict[str, Any], width: int) -> Text:
    """The beginning of the chunk, or the part around its first highlight, with the highlights in bold."""
    source, marks = str(hit["passage"]), [tuple(each) for each in hit["highlights"]]
    start = _start(source, marks, width * _SHOWN_LINES)
    text = Text(source[start : start + width * _SHOWN_LINES])
    for first, last in marks:
        if first >= start:
            text.stylize("bold", first - start, last - start)
    # One character for one: the marks stay where they are.
    text.plain = "".join(" " if each.isspace() else each for each in text.plain)
    lines = text.wrap(Console(width=width), width)[:_SHOWN_LINES]
    shown = Text("\n").join(Text("    ") + line for line in lines)
    return shown if start + width * _SHOWN_LINES >= len(source) else shown + Text(" …")


def _start(source: str, marks: Sequence[tuple[int, int]], room: int) -> int:
    """Where to begin, so that the first highlight is in sight."""
    if not marks or marks[0][1] < room:
        return 0
    before = source.rfind(" ", 0, max(0, marks[0][0] - room // 3))
    return before + 1
