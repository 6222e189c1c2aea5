"""The program of an embedded store's process: it ties the process to its server, then becomes the store.

Run by `semantik/storage/store_process.py`, in a child process; of the project it imports the other
modules `embedded_…` of its process alone:
    python -m semantik.storage.embedded_child SERVER_PID redis PROGRAM ARGUMENT...
    python -m semantik.storage.embedded_child SERVER_PID mongo FOLDER SOCKET
    python -m semantik.storage.embedded_child SERVER_PID mongo-reads FOLDER SOCKET
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import fcntl
import logging
import os
import signal
import sys
from collections.abc import Iterator

_PR_SET_PDEATHSIG = 1
_READ_BUFFER_BYTES = 1 << 20
_NICENESS = 5  # of the MongoDB that writes


def _die_with_parent(server: int) -> None:
    """Have the kernel kill this process when its server ends, however it ends; exec keeps that."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    # If the server ended before the call above, no signal will come.
    if os.getppid() != server:
        raise SystemExit(f"The server with process id {server} has ended.")


@contextlib.contextmanager
def _folder_lock(folder: str) -> Iterator[None]:
    """Hold a lock on the folder: two processes that create the same database at once would fail on SQLite's lock, for
    which NeoSQLite does not wait."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


async def _serve_mongo(folder: str, socket: str) -> None:
    """Speak the MongoDB protocol on `socket` until SIGTERM; each database is one SQLite file in `folder`."""
    from nx_27017.handler import NeoSQLiteHandler
    from nx_27017.server import handle_client

    from semantik.storage.embedded_reads import FastReadHandler
    from semantik.storage.embedded_writes import FastWriteHandler

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    # At WARNING it logs every aggregation that runs in Python instead of SQL.
    logging.getLogger("neosqlite").setLevel(logging.ERROR)
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    # One file per database: databases are separate as in MongoDB, and a ping never waits for a long query.
    with _folder_lock(folder):
        handler = NeoSQLiteHandler(data_dir=folder)
    FastWriteHandler(handler)
    fast_reads = FastReadHandler(handler, folder)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Only the stop below cancels it; asyncio of Python 3.11 would report that as an error of the callback.
        with contextlib.suppress(asyncio.CancelledError):
            await handle_client(reader, writer, handler)

    server = await asyncio.start_unix_server(serve, socket, limit=_READ_BUFFER_BYTES)
    await stopping.wait()
    server.close()
    for connection in asyncio.all_tasks() - {asyncio.current_task()}:
        connection.cancel()
    # Commands run in threads: the files are closed, and their write-ahead logs merged, after the last command.
    await loop.shutdown_default_executor()
    fast_reads.close()
    handler.close_all()


def main(argv: list[str]) -> None:
    server, store, *arguments = argv
    _die_with_parent(int(server))
    if store == "redis":
        os.execv(arguments[0], arguments)
    if store == "mongo":
        os.nice(_NICENESS)  # writing thousands of rows must not delay the reads of a search
    asyncio.run(_serve_mongo(*arguments))


if __name__ == "__main__":
    main(sys.argv[1:])
