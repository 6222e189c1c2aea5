"""Semantik on several machines, shown on this one: `make cluster-demo [FOLDER=/some/folder]`.

Three servers, two workers of a Dask cluster and its scheduler, MongoDB and Redis run as processes of their own, each at
an address of its own. A folder is indexed by the workers; the server that runs the operation is killed in the middle of
it, another one goes on, and each server that is left answers searches. With --serve it goes on until Ctrl-C.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import secrets
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from rich.console import Console
from support.machines import SERVERS, WORKERS, Machines
from support.namespaces import Loopback
from support.server import ROOT, SETUP_CODE

from semantik.client.api import Client
from semantik.commands.operation_bar import counted_files, show_progress
from semantik.core.errors import Unavailable
from semantik.storage.data_folder import instance_id
from semantik.storage.mongo import Store

_USER = "demo"
_QUERIES = ("What do we do when the generator fails?", "Which store is the only source of truth?")
_KILL_AT = 0.4  # of the files
_NAMES = ("mongo", "redis", "scheduler", *WORKERS, *SERVERS)
_SEARCH_S, _AGAIN_S = 60.0, 0.5


def main() -> int:
    parser = argparse.ArgumentParser(prog="make cluster-demo", description=__doc__)
    parser.add_argument(
        "folder", nargs="?", default=str(ROOT / "docs"), help="(default: Semantik's own docs)"
    )
    parser.add_argument("--serve", action="store_true", help="go on until Ctrl-C")
    arguments = parser.parse_args()
    folder = Path(arguments.folder).resolve()
    if not folder.is_dir():
        parser.error(f"There is no folder {arguments.folder!r}; name one that exists.")
    console = Console(soft_wrap=True)
    console.print(f"Starting {len(_NAMES)} machines: {', '.join(_NAMES)} …")
    with (
        tempfile.TemporaryDirectory(prefix="semantik-cluster-") as place,
        contextlib.suppress(KeyboardInterrupt),
        Machines(Path(place), Loopback(_NAMES), real=True) as machines,
    ):
        asyncio.run(_show(machines, folder, console, arguments.serve))
    return 0


async def _show(machines: Machines, folder: Path, console: Console, serve: bool) -> None:
    urls = machines.urls
    client, password = Client(urls[SERVERS[0]]), secrets.token_urlsafe(9)
    await client.register(_USER, password, SETUP_CODE)
    await client.sign_in(_USER, password)
    for name, url in urls.items():
        console.print(f"  {name}: {url}")
    made = await client.call("POST", "collections", {"name": folder.name, "source_path": str(folder)})
    console.print(f"\nIndexing {folder}; what is read and embedded goes to {' and '.join(WORKERS)}.")
    async with Store(machines.stores.mongo_url, machines.stores.database) as store:
        showing = _Indexing(machines, store, client.token, made["operation_id"], console)
        console.print((await show_progress(showing.messages(), console))["message"])
    for query in _QUERIES:
        for name in [each for each in SERVERS if each != showing.killed]:
            answer = await _search(Client(urls[name], client.token), query)
            best = answer["hits"][0]["document"]["name"] if answer["hits"] else "nothing was found"
            console.print(f"  {name}: {query}  →  {best}", highlight=False)
    if serve:
        console.print(f"\nSign in as {_USER} with the password {password} at any of them. Ctrl-C stops all.")
        await asyncio.Event().wait()


class _Indexing:
    """An operation whose server is killed in the middle of it: `killed` is its name then."""

    def __init__(
        self, machines: Machines, store: Store, token: str, operation_id: str, console: Console
    ) -> None:
        self._machines, self._store, self._console = machines, store, console
        self._token, self._id = token, operation_id
        self.killed: str | None = None

    async def messages(self) -> AsyncIterator[dict[str, Any]]:
        """All of them, from any server that is there."""
        since: str | None = None
        for name in itertools.cycle(SERVERS):
            client = Client(self._machines.urls[name], self._token)
            with contextlib.suppress(Unavailable):
                async for message in client.watch(self._id, since, patience_s=0):
                    since = message.get("id", since)
                    yield message
                    await self._kill_owner(message)
                return
            await asyncio.sleep(_AGAIN_S)

    async def _kill_owner(self, message: dict[str, Any]) -> None:
        done, total = counted_files(message)
        if self.killed is not None or not done or not total or done < _KILL_AT * total:
            return
        operation = await self._store.operations.get(self._id)
        if operation is None or operation.lease is None or operation.ended:
            return
        owners = {instance_id(self._machines.folder / name): name for name in SERVERS}
        self.killed = owners[operation.lease.owner]
        await asyncio.to_thread(self._machines.disturb, "kill", self.killed)
        self._console.print(f"{self.killed} is killed; another server goes on when its lease ends.")


async def _search(client: Client, query: str) -> Any:
    async with asyncio.timeout(_SEARCH_S):
        while True:
            try:
                return await client.call("POST", "search", {"query": query, "k": 3})
            except Unavailable:
                await asyncio.sleep(_AGAIN_S)


if __name__ == "__main__":
    raise SystemExit(main())
