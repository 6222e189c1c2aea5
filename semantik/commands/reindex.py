"""`semantik-reindex`: cuts and embeds collections anew, by a running server or, where there is none, by itself."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from semantik.client.api import Client
from semantik.commands.cli_common import COULD_NOT, perform, refused, settings_of, store_flags, tell
from semantik.commands.reindex_targets import (
    ReindexState,
    ReindexTarget,
    ReindexTargets,
    RemoteTargets,
    StoreTargets,
    follow,
    on_stores,
)
from semantik.config.settings import Settings
from semantik.core.errors import Invalid, SemantikError
from semantik.services.operations import ReindexOptions

_PROG = "semantik-reindex"
_KEY = "SEMANTIK_API_KEY"


def main(argv: list[str]) -> int:
    """Reindex, and return the exit status: 0 done (without --wait: queued), 1 could not, 2 misuse."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.all == bool(arguments.collections):
        parser.error("name collections, or --all")
    try:
        settings = settings_of(arguments)
        password = _password(arguments)
    except SemantikError as error:
        return refused(_PROG, error)
    return perform(_PROG, _work(settings, arguments, password))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_PROG,
        description="Cut and embed collections anew; what is not named stays as it is. They are searched meanwhile. "
        "Without --url the stores are reached from this machine: a server that runs on them does the work, and where "
        "there is none, this script does.",
        parents=[store_flags()],
    )
    parser.add_argument(
        "collections", nargs="*", metavar="COLLECTION", help="the name or the id of a collection"
    )
    parser.add_argument("--all", action="store_true", help="all collections")
    parser.add_argument("--model", metavar="NAME", help="another embedding model")
    parser.add_argument("--precision", choices=("auto", "float32", "bfloat16"), help="another precision")
    parser.add_argument("--chunk-size", type=int, metavar="TOKENS", help="tokens in a chunk at most")
    parser.add_argument("--chunk-overlap", type=int, metavar="TOKENS", help="tokens that neighbours share")
    parser.add_argument("--wait", action="store_true", help="show how it goes, and end when it is done")
    server = parser.add_argument_group("a server by its address", "Only your own collections are seen there.")
    server.add_argument("--url", help="the server's, as https://semantik.example.org")
    server.add_argument("--api-key", metavar="KEY", help=f"better in the environment, as {_KEY}")
    server.add_argument(
        "--username", metavar="NAME", help="sign in with a password instead, which is asked for"
    )
    return parser


def _password(arguments: argparse.Namespace) -> str:
    """Ask for the password where a user name is given; raises Invalid for flags that do not go together."""
    if arguments.url is None:
        if arguments.api_key or arguments.username:
            raise Invalid("--api-key and --username are for the server that --url names.")
        return ""
    _look_at_url(arguments.url)
    if not arguments.username:
        key = arguments.api_key or os.environ.get(_KEY, "")
        if not key:
            raise Invalid(f"Who asks? Name --username, or an API key in {_KEY}.")
        if not (key.isascii() and key.isprintable()):
            raise Invalid("The API key has characters that no key has; copy it anew.")
        return ""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    try:
        return getpass.getpass("Password: ")
    except EOFError as error:
        raise Invalid("No password was given.") from error


def _look_at_url(url: str) -> None:
    """Raises Invalid for what is no address of a server."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        (parts.hostname or "").encode("idna")
    except ValueError:  # a bracket or a port that is none, or a name that no host can have
        good = False
    if not good:
        raise Invalid(
            f"--url {url!r} is no address of a server; it is written as https://semantik.example.org."
        )


async def _work(settings: Settings, arguments: argparse.Namespace, password: str) -> int:
    wish = ReindexOptions(arguments.model, arguments.precision, arguments.chunk_size, arguments.chunk_overlap)
    async with AsyncExitStack() as stack:
        reindexing: ReindexTargets
        if arguments.url is not None:
            client = Client(arguments.url, arguments.api_key or os.environ.get(_KEY, ""))
            if arguments.username:
                await client.sign_in(arguments.username, password)
            reindexing = RemoteTargets(client)
        else:
            _look_at(wish)
            reindexing = await stack.enter_async_context(on_stores(settings))
        targets = _chosen(await reindexing.targets(), arguments.collections, arguments.all)
        operations, refusals = await _begin(reindexing, targets, wish)
        if arguments.wait or (isinstance(reindexing, StoreTargets) and reindexing.alone):
            refusals += await _wait(reindexing, operations)
        return COULD_NOT if refusals else 0


def _look_at(wish: ReindexOptions) -> None:
    """The bounds that REST has for what is asked for. Raises Invalid."""
    if wish.chunk_size is not None and not 16 <= wish.chunk_size <= 100_000:
        raise Invalid(f"--chunk-size {wish.chunk_size} is not allowed: 16 to 100000 tokens are.")
    if wish.chunk_overlap is not None and not 0 <= wish.chunk_overlap <= 50_000:
        raise Invalid(f"--chunk-overlap {wish.chunk_overlap} is not allowed: 0 to 50000 tokens are.")


def _chosen(targets: Sequence[ReindexTarget], named: Sequence[str], every: bool) -> list[ReindexTarget]:
    """Raises Invalid for a name that nobody has, or that several collections have."""
    if every:
        return list(targets)
    chosen: list[ReindexTarget] = []
    for name in named:
        found = [one for one in targets if one.id == name or one.name.lower() == name.lower()]
        if not found:
            raise Invalid(f"There is no collection {name!r}.")
        if len(found) > 1:
            ids = ", ".join(f"{one.id} of {one.owner}" for one in found)
            raise Invalid(f"Several collections are named {name!r}: name one by its id ({ids}).")
        if found[0] not in chosen:
            chosen.append(found[0])
    return chosen


async def _begin(
    reindexing: ReindexTargets, targets: Sequence[ReindexTarget], wish: ReindexOptions
) -> tuple[dict[str, ReindexTarget], int]:
    """Put them into the line; returns the operations, and how many were refused."""
    operations: dict[str, ReindexTarget] = {}
    refusals = 0
    for target in targets:
        try:
            operation_id = await reindexing.begin(target, wish)
        except SemantikError as error:
            refused(f"{_PROG}: {target.name}", error)
            refusals += 1
            continue
        operations[operation_id] = target
        tell(f"{target.name}: operation {operation_id} is in the line.")
    return operations, refusals


async def _wait(reindexing: ReindexTargets, operations: dict[str, ReindexTarget]) -> int:
    """Show how operations go until they have ended; returns how many did not complete."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[stage]}"),
    )
    bad = 0
    with Progress(*columns, console=console, disable=not console.is_terminal) as shown:
        bars = {
            key: shown.add_task(target.name, total=100.0, stage="waits") for key, target in operations.items()
        }
        async for key, state in follow(reindexing, operations):
            shown.update(bars[key], completed=state.percent, stage=state.stage or "waits")
            if state.ended:
                bad += state.status != "completed"
                _tell_end(operations[key], state)
    return bad


def _tell_end(target: ReindexTarget, state: ReindexState) -> None:
    if state.status == "completed":
        tell(f"{target.name}: done.")
    else:
        print(f"{_PROG}: {target.name}: {state.status}. {state.error or ''}".rstrip(), file=sys.stderr)
