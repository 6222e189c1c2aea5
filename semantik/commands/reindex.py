"""`semantik-reindex`: splits and embeds collections again: in a running server or, without one, in this process."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from semantik.client.api import Client
from semantik.commands.cli_common import (
    EXIT_STATUS,
    FAILED,
    check_url,
    load_settings,
    print_output,
    report_error,
    run_command,
    store_flags,
)
from semantik.commands.reindex_backends import (
    ReindexBackend,
    ReindexState,
    ReindexTarget,
    RestBackend,
    StoreBackend,
    open_store_backend,
    poll_states,
)
from semantik.commands.server_connection import KEY_VARIABLE, api_key, read_password
from semantik.config.settings import Settings
from semantik.core.errors import Invalid, SemantikError
from semantik.services.operation_options import ReindexOptions

_PROG = "semantik-reindex"


def main(argv: list[str]) -> int:
    """Reindex, and return the exit status: 0 done (without --wait: queued), 1 failed, 2 usage error."""
    flags = parser()
    arguments = flags.parse_args(argv)
    if arguments.all == bool(arguments.collections):
        flags.error("name collections, or --all")
    try:
        settings = load_settings(arguments)
        password = _password(arguments)
    except SemantikError as error:
        return report_error(_PROG, error)
    return run_command(_PROG, _execute(settings, arguments, password))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog=_PROG,
        epilog=EXIT_STATUS,
        description="Split and embed collections again; options that are not given stay as they are. The collections "
        "stay searchable meanwhile. Without --url the script connects to the stores: a server that runs on them does "
        "the work; where none runs, the script does it.",
        parents=[store_flags()],
    )
    made.add_argument(
        "collections", nargs="*", metavar="COLLECTION", help="the name or the id of a collection"
    )
    made.add_argument("--all", action="store_true", help="all collections")
    made.add_argument("--model", metavar="NAME", help="another embedding model")
    made.add_argument("--precision", choices=("auto", "float32", "bfloat16"), help="another precision")
    made.add_argument("--chunk-size", type=int, metavar="TOKENS", help="tokens in a chunk at most")
    made.add_argument(
        "--chunk-overlap", type=int, metavar="TOKENS", help="tokens that neighbouring chunks share"
    )
    made.add_argument("--wait", action="store_true", help="show the progress, and exit when it is done")
    server = made.add_argument_group("a server by its URL", "Only your own collections are visible there.")
    server.add_argument("--url", help="the server's URL, such as https://semantik.example.org")
    server.add_argument("--api-key", metavar="KEY", help=f"better in the environment, as {KEY_VARIABLE}")
    server.add_argument(
        "--username", metavar="NAME", help="sign in with a password instead; the script prompts for it"
    )
    return made


def _password(arguments: argparse.Namespace) -> str:
    """Prompt for the password where a user name is given; raises Invalid for flags that exclude each other."""
    if arguments.url is None:
        if arguments.api_key or arguments.username:
            raise Invalid("--api-key and --username are for the server that --url names.")
        return ""
    check_url(arguments.url)
    if not arguments.username:
        api_key(arguments.api_key)
        return ""
    return read_password()


async def _execute(settings: Settings, arguments: argparse.Namespace, password: str) -> int:
    options = ReindexOptions(
        arguments.model, arguments.precision, arguments.chunk_size, arguments.chunk_overlap
    )
    async with AsyncExitStack() as stack:
        backend: ReindexBackend
        if arguments.url is not None:
            client = Client(arguments.url, "" if arguments.username else api_key(arguments.api_key))
            if arguments.username:
                await client.sign_in(arguments.username, password)
            backend = RestBackend(client)
        else:
            _check_options(options)
            backend = await stack.enter_async_context(open_store_backend(settings))
        targets = _select(await backend.collections(), arguments.collections, arguments.all)
        operations, refusals = await _start_all(backend, targets, options)
        if arguments.wait or (isinstance(backend, StoreBackend) and backend.in_process):
            refusals += await _wait(backend, operations)
        return FAILED if refusals else 0


def _check_options(options: ReindexOptions) -> None:
    """The same limits as in the REST API. Raises Invalid."""
    if options.chunk_size is not None and not 16 <= options.chunk_size <= 100_000:
        raise Invalid(f"--chunk-size {options.chunk_size} is not allowed: 16 to 100000 tokens are.")
    if options.chunk_overlap is not None and not 0 <= options.chunk_overlap <= 50_000:
        raise Invalid(f"--chunk-overlap {options.chunk_overlap} is not allowed: 0 to 50000 tokens are.")


def _select(targets: Sequence[ReindexTarget], named: Sequence[str], every: bool) -> list[ReindexTarget]:
    """The targets with these names or ids. Raises Invalid for a name that none of them or several of them have."""
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


async def _start_all(
    backend: ReindexBackend, targets: Sequence[ReindexTarget], options: ReindexOptions
) -> tuple[dict[str, ReindexTarget], int]:
    """Queue the operations; returns the targets by operation id, and the number of refusals."""
    operations: dict[str, ReindexTarget] = {}
    refusals = 0
    for target in targets:
        try:
            operation_id = await backend.start(target, options)
        except SemantikError as error:
            report_error(f"{_PROG}: {target.name}", error)
            refusals += 1
            continue
        operations[operation_id] = target
        print_output(f"{target.name}: operation {operation_id} is queued.")
    return operations, refusals


async def _wait(backend: ReindexBackend, operations: dict[str, ReindexTarget]) -> int:
    """Show the progress of operations until all have ended; returns how many did not complete."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[stage]}"),
    )
    failures = 0
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bars = {
            key: progress.add_task(target.name, total=100.0, stage="queued")
            for key, target in operations.items()
        }
        async for key, state in poll_states(backend, operations):
            progress.update(bars[key], completed=state.percent, stage=state.stage or "queued")
            if state.ended:
                failures += state.status != "completed"
                _print_end(operations[key], state)
    return failures


def _print_end(target: ReindexTarget, state: ReindexState) -> None:
    if state.status == "completed":
        print_output(f"{target.name}: done.")
    else:
        print(f"{_PROG}: {target.name}: {state.status}. {state.error or ''}".rstrip(), file=sys.stderr)
