"""The first code of an embedded store's process: it ties the process to its server, then becomes the store.

Run as a script by `semantik/embedded.py`, and imports nothing of the project:
    embedded_child.py SERVER_PID redis PROGRAM ARGUMENT...
    embedded_child.py SERVER_PID mongo FOLDER SOCKET
    embedded_child.py SERVER_PID mongo-reads FOLDER SOCKET
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_READ_BUFFER_BYTES = 1 << 20
_NICENESS = 5  # of the one that writes


def _die_with(server: int) -> None:
    """Have the kernel kill this process when its server ends, however it ends; exec keeps that."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    # A server that ended before the call above sends no signal any more.
    if os.getppid() != server:
        raise SystemExit(f"The server with process id {server} has ended.")


async def _serve_mongo(folder: str, socket: str) -> None:
    """Speak the MongoDB protocol on `socket` until SIGTERM; each database is one SQLite file in `folder`."""
    from nx_27017.handler import NeoSQLiteHandler
    from nx_27017.server import handle_client

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    # At WARNING it tells each aggregation that it runs in Python instead of SQL.
    logging.getLogger("neosqlite").setLevel(logging.ERROR)
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    # One file per database: databases stay apart as in MongoDB, and a ping never waits for a long query.
    handler = NeoSQLiteHandler(data_dir=folder)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Only the stop below cancels; asyncio of Python 3.11 would report it as an error of the callback.
        with contextlib.suppress(asyncio.CancelledError):
            await handle_client(reader, writer, handler)

    server = await asyncio.start_unix_server(serve, socket, limit=_READ_BUFFER_BYTES)
    await stopping.wait()
    server.close()
    for connection in asyncio.all_tasks() - {asyncio.current_task()}:
        connection.cancel()
    # Commands run in threads: the files are closed, and their logs folded in, after the last of them.
    await loop.shutdown_default_executor()
    handler.close_all()


def main(argv: list[str]) -> None:
    server, store, *rest = argv
    _die_with(int(server))
    if store == "redis":
        os.execv(rest[0], rest)
    if store == "mongo":
        os.nice(_NICENESS)  # thousands of rows that are written must not hold up those that a search reads
    asyncio.run(_serve_mongo(*rest))


if __name__ == "__main__":
    main(sys.argv[1:])
