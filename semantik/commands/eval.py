"""`semantik-eval`: measures which documents a search finds, for each mode, with the queries that it loses.

Uses a running server over REST; for a judged set in BEIR form, or a folder, it starts one in this process.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from semantik import __version__
from semantik.client.api import Client
from semantik.client.retries import Retries
from semantik.commands.cli_common import check_url, print_output, report_error, run_command
from semantik.commands.eval_server import default_cache, indexed
from semantik.commands.server_connection import KEY_VARIABLE, all_collections
from semantik.config.loader import load
from semantik.config.settings import Settings
from semantik.core.errors import Invalid, SemantikError
from semantik.evaluation.beir import read_beir
from semantik.evaluation.csv_queries import read_csv
from semantik.evaluation.judged_set import JudgedSet
from semantik.evaluation.measures import DEPTH
from semantik.evaluation.report import as_json, as_text
from semantik.evaluation.runner import MODES, Evaluation, evaluate

_PROG = "semantik-eval"
_MAX_LOST = 20
# A server that others use, too, answers so many searches a second: what it refuses is asked again.
_PATIENT = Retries(attempts=1000, patience_s=600.0)


def main(argv: list[str]) -> int:
    """Measure, print, and return the exit status: 0 measured, 1 failed, 2 usage error or a file with an error."""
    arguments = parser().parse_args(argv)
    try:
        settings = load(arguments.config)
        judged = _judged_set(arguments)
    except SemantikError as error:
        return report_error(_PROG, error)
    return run_command(_PROG, _measure(arguments, judged, settings))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog=_PROG,
        description="Measure which documents a search finds: nDCG@10, MRR@10, recall and hit@1 for each mode, with "
        "95 % intervals, and the queries that it loses. SET is a folder in BEIR form (corpus.jsonl, queries.jsonl, "
        "qrels/*.tsv), which is indexed by a server of its own, or a CSV file of question and expected path.",
        epilog="Exit status 0: measured; 1: the server failed or refused; 2: usage error, or SET has an error.",
    )
    made.add_argument("--version", action="version", version=f"semantik {__version__}")
    made.add_argument("set", type=Path, metavar="SET", help="a BEIR folder, or a CSV file")
    made.add_argument(
        "--modes",
        default=",".join(MODES),
        help="which modes, the one to compare first (default: %(default)s)",
    )
    made.add_argument("--split", metavar="NAME", help="which file of qrels/ (default: test)")
    made.add_argument("--json", action="store_true", help="print JSON, with each query's measures")
    made.add_argument(
        "--lost", type=int, default=_MAX_LOST, metavar="N", help="lost queries to show (%(default)s)"
    )
    made.add_argument(
        "--depth",
        type=int,
        choices=range(10, DEPTH + 1),
        default=DEPTH,
        metavar="N",
        help=f"documents to ask for, 10 to {DEPTH}; fewer are found faster, and recall@{DEPTH} then goes as deep "
        "(%(default)s)",
    )
    server = made.add_argument_group("a running server")
    server.add_argument("--url", help="its URL, such as http://127.0.0.1:8080")
    server.add_argument(
        "--api-key", "--key", metavar="KEY", help=f"better in the environment, as {KEY_VARIABLE}"
    )
    server.add_argument(
        "--collection",
        action="append",
        metavar="NAME",
        help="a collection's name or id; more than once for several (default: all)",
    )
    own = made.add_argument_group("a server of its own")
    own.add_argument("--folder", type=Path, help="the documents that a CSV file asks for")
    own.add_argument(
        "--config", type=Path, metavar="FILE", help="the settings to measure, as conf/semantik.toml"
    )
    own.add_argument(
        "--cache",
        type=Path,
        default=default_cache(),
        metavar="DIR",
        help="where indexed sets are kept (default: %(default)s); may be deleted",
    )
    return made


def _judged_set(arguments: argparse.Namespace) -> JudgedSet:
    """The set that the arguments name. Raises Invalid for what is wrong in it or in them."""
    _modes(arguments)
    if arguments.lost < 0:
        raise Invalid("--lost is a number from 0 on.")
    if arguments.url is not None:
        check_url(arguments.url)
        if arguments.folder is not None:
            raise Invalid("--folder is for a server of its own; --url names one that has the documents.")
        key = _api_key(arguments)
        if not key or not (key.isascii() and key.isprintable()):
            raise Invalid(f"--url needs an API key with the scope read, in {KEY_VARIABLE} or as --api-key.")
    elif arguments.collection or arguments.api_key:
        raise Invalid("--collection and --api-key are for the server that --url names.")
    if not arguments.set.exists():
        raise Invalid(f"There is no {arguments.set}. Name a BEIR folder, or a CSV file.")
    if arguments.set.is_dir():
        if arguments.folder is not None:
            raise Invalid("--folder is for a CSV file; a BEIR folder has its documents in corpus.jsonl.")
        return read_beir(arguments.set, arguments.split)
    if arguments.url is None:
        if arguments.folder is None:
            raise Invalid("A CSV file needs --folder with the documents, or --url of a server that has them.")
        if not arguments.folder.is_dir():
            raise Invalid(f"--folder {arguments.folder} is not a folder.")
    return read_csv(arguments.set)


def _modes(arguments: argparse.Namespace) -> tuple[str, ...]:
    modes = tuple(dict.fromkeys(mode.strip() for mode in arguments.modes.split(",")))
    if unknown := [mode for mode in modes if mode not in MODES]:
        raise Invalid(f"--modes: there is no mode {unknown[0]!r}; there are {', '.join(MODES)}.")
    return modes


def _api_key(arguments: argparse.Namespace) -> str:
    return arguments.api_key or os.environ.get(KEY_VARIABLE, "")


async def _measure(arguments: argparse.Namespace, judged: JudgedSet, settings: Settings) -> int:
    modes = _modes(arguments)
    # This process asks what it answers, so its loop is busy with both: nothing to tell a person.
    logging.getLogger("semantik.loop").setLevel(logging.ERROR)
    with _Bar() as bar:
        if arguments.url is not None:
            client = Client(arguments.url, _api_key(arguments), _PATIENT)
            collections = await _collection_ids(client, arguments.collection)
            evaluation = await evaluate(client, judged, collections, bar.update, modes, depth=arguments.depth)
        else:
            evaluation = await _measure_own(arguments, judged, settings, modes, bar)
    output = (
        json.dumps(as_json(evaluation), indent=2, ensure_ascii=False)
        if arguments.json
        else as_text(evaluation, arguments.lost)
    )
    print_output(output)
    return 0


async def _measure_own(
    arguments: argparse.Namespace, judged: JudgedSet, settings: Settings, modes: tuple[str, ...], bar: _Bar
) -> Evaluation:
    """Measure with a server in this process. Raises what stops the server meanwhile."""
    folder = None if arguments.folder is None else arguments.folder.resolve()
    try:
        arguments.cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Invalid(f"--cache {arguments.cache} cannot be made: {error.strerror}.") from error
    async with AsyncExitStack() as stack:
        own = await stack.enter_async_context(
            indexed(judged.documents, folder, arguments.cache.resolve(), settings, bar.update)
        )
        return await evaluate(
            own.client, judged, [own.collection_id], bar.update, modes, own.name_of, arguments.depth
        )


async def _collection_ids(client: Client, names: list[str] | None) -> list[str] | None:
    """The ids of collections by id or name. Raises Invalid for a name that none or several have."""
    if not names:
        return None
    items = await all_collections(client)
    found = []
    for name in names:
        same = [item["id"] for item in items if name in (item["id"], item["name"])]
        if len(same) != 1:
            known = ", ".join(sorted(item["name"] for item in items)[:20]) or "none"
            reason = "is the name of several collections; give the id" if same else "is no collection"
            raise Invalid(f"--collection {name!r} {reason}. There are: {known}.")
        found += same
    return found


class _Bar:
    """What is being done, on the terminal's standard error; nothing where that is no terminal."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        columns = (TextColumn("{task.description:<10}"), BarColumn(40), MofNCompleteColumn())
        self._bar = Bar(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task: Any = None

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def update(self, what: str, done: int, total: int) -> None:
        """Show that `done` of `total` are done."""
        if self._task is None:
            self._task = self._bar.add_task(what, total=total)
        self._bar.update(self._task, description=what, completed=done, total=total)
