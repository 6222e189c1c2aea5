"""Measures how long an operation is interrupted when its server is killed: `python -m bench.takeover`.

Two servers share their stores. The server that indexes a folder is killed, and the other resumes the operation when the
lease has expired; then the owner is killed and restarted at once. Prints for both the seconds from the kill until the
operation is claimed, until its next message, and until the next document is stored. The results depend on the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.server_process import SETUP_CODE, environment, unlimited
from semantik.client.api import Client
from semantik.config.settings import ProgressSettings
from semantik.core.models import Operation
from semantik.progress import ProgressService
from semantik.storage.data_folder import data_lock, instance_id
from semantik.storage.embedded import embedded
from semantik.storage.mongo import Store

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "a long password"
_POLL_S = 0.01
_DATABASE = "takeover"


@dataclass
class Server:
    """A server process on shared stores."""

    data: Path
    flags: list[str]
    process: asyncio.subprocess.Process | None = None
    url: str = ""

    async def start(self) -> None:
        self.data.mkdir(exist_ok=True)
        command = [
            str(ROOT / "bin" / "semantik-server"),
            "--port",
            "0",
            "--data",
            str(self.data),
            *unlimited(),
            *self.flags,
        ]
        self.process = await asyncio.create_subprocess_exec(
            *command, stdout=subprocess.PIPE, env=environment()
        )
        assert self.process.stdout is not None
        line = (await self.process.stdout.readline()).decode()
        if not line:
            raise SystemExit("takeover: a server did not start; its error is above.")
        self.url = line.rpartition(" ")[2].strip()

    async def kill(self) -> float:
        """Send SIGKILL; returns the time."""
        assert self.process is not None
        killed_at = time.perf_counter()
        self.process.kill()
        await self.process.wait()
        return killed_at

    async def stop(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            await self.process.wait()


async def measure(folder: Path, lease_s: float) -> dict[str, Any]:
    """Kill the owner of an INDEX of `folder` twice; returns the times, with their units in their names."""
    async with AsyncExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="semantik-bench-")))
        lock = await stack.enter_async_context(data_lock(home))
        stores = await stack.enter_async_context(embedded(home, True, True, lock))
        flags = ["--redis-url", stores.redis_url, "--mongo-url", stores.mongo_url]
        flags += [
            "--mongo-database",
            _DATABASE,
            "--operations-lease-s",
            f"{lease_s:g}",
            "--log-level",
            "error",
            "--documents-roots",
            "/",
        ]
        servers = [Server(home / name, flags) for name in ("first", "second")]
        for server in servers:
            stack.push_async_callback(server.stop)
            await server.start()
        store = await stack.enter_async_context(Store(stores.mongo_url, _DATABASE))
        progress = ProgressService(stores.redis_url, ProgressSettings(), "bench")
        await stack.enter_async_context(progress)
        client = Client(servers[0].url)
        await client.register("bench", PASSWORD, SETUP_CODE)
        await client.sign_in("bench", PASSWORD)
        collection = await client.call("POST", "collections", {"name": "Folder", "source_path": str(folder)})
        operation_id = collection["operation_id"]

        owner = await _working_owner(store, operation_id, servers)
        before = await _record(store, operation_id)
        killed = await owner.kill()
        by_other_server = await _resume_times(store, progress, before, killed)

        other = await _working_owner(store, operation_id, servers)
        before = await _record(store, operation_id)
        killed = await other.kill()
        await other.start()
        ready_s = time.perf_counter() - killed
        by_same_server = await _resume_times(store, progress, before, killed)
        return {
            "lease_s": lease_s,
            "by_another_server": by_other_server,
            "by_the_same_after_a_restart": {"server_is_ready_s": ready_s, **by_same_server},
        }


async def _working_owner(store: Store, operation_id: str, servers: list[Server]) -> Server:
    """The server that runs the operation, once it has stored a document."""
    before = await _record(store, operation_id)
    while True:
        operation = await _record(store, operation_id)
        if operation.counts.processed > before.counts.processed:
            break
        await asyncio.sleep(_POLL_S)
    assert operation.lease is not None
    [owner] = [server for server in servers if instance_id(server.data) == operation.lease.owner]
    return owner


async def _resume_times(
    store: Store, progress: ProgressService, before: Operation, killed: float
) -> dict[str, float]:
    """The seconds from the kill until the operation is claimed again, its next message, and its next document."""
    claimed_s: float | None = None
    message_s: float | None = None
    assert before.lease is not None
    last_id = await progress.last_id(before.id)
    while True:
        operation = await _record(store, before.id)
        elapsed_s = time.perf_counter() - killed
        assert operation.lease is not None
        if claimed_s is None and operation.lease.token != before.lease.token:
            claimed_s = elapsed_s
        if message_s is None and await progress.last_id(before.id) != last_id:
            message_s = elapsed_s
        if claimed_s is not None and operation.counts.processed > before.counts.processed:
            return {
                "claimed_s": claimed_s,
                "next_message_s": message_s if message_s is not None else elapsed_s,
                "next_document_s": elapsed_s,
            }
        await asyncio.sleep(_POLL_S)


async def _record(store: Store, operation_id: str) -> Operation:
    operation = await store.operations.get(operation_id)
    assert operation is not None
    if operation.ended:
        raise SystemExit(
            "takeover: the folder was indexed before both servers were killed; choose a larger one."
        )
    return operation


def _make_folder(folder: Path) -> None:
    for number in range(2000):
        lines = [f"Lamp {number} of pier {part} burned for {number * part} hours." for part in range(12)]
        (folder / f"lamp-{number:04}.txt").write_text("\n\n".join(lines))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, help="the folder to index (default: 2000 generated small files)"
    )
    parser.add_argument(
        "--lease-s", type=float, default=15.0, help="operations.lease_s (default %(default)s)"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="semantik-bench-") as generated:
        if arguments.folder is None:
            _make_folder(Path(generated))
        elif not arguments.folder.is_dir():
            print(f"takeover: {arguments.folder} is not a folder.", file=sys.stderr)
            return 2
        times = asyncio.run(measure((arguments.folder or Path(generated)).resolve(), arguments.lease_s))
    print(json.dumps(times, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
