"""The embedded stores as real child processes: start, restart after a crash, shutdown with their server."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import DuplicateKeyError
from redis.asyncio import Redis
from support.embedded_stores import store_processes
from support.processes import command_line

from semantik.core.errors import Unavailable
from semantik.storage.data_folder import data_lock
from semantik.storage.embedded import EmbeddedStores, embedded

pytestmark = pytest.mark.gen_test

# A server in its own process: it prints the URLs of its stores and runs until it is killed.
SERVER = """
import asyncio, sys
from pathlib import Path
from semantik.storage.data_folder import data_lock
from semantik.storage.embedded import embedded

async def main(data):
    async with data_lock(data) as lock, embedded(data, True, True, lock) as stores:
        print(stores.mongo_url, stores.redis_url, flush=True)
        await asyncio.Event().wait()

asyncio.run(main(Path(sys.argv[1])))
"""


@asynccontextmanager
async def running(data: Path, mongo: bool = True, redis: bool = True) -> AsyncIterator[EmbeddedStores]:
    async with data_lock(data) as lock, embedded(data, mongo, redis, lock) as stores:
        yield stores


def child(store: str, pid: int | None = None) -> psutil.Process:
    """The child process of server `pid` that serves `store`: "mongo", "mongo-reads" or "redis"."""
    commands = {each: command_line(each) for each in psutil.Process(pid).children()}
    if store == "redis":
        [found] = [
            each for each, command in commands.items() if any("redis-server" in part for part in command)
        ]
    else:
        [found] = [each for each, command in commands.items() if store in command]
    return found


async def wait_ended(pidfd: int) -> None:
    """Wait until a process has ended. It is given as a pidfd, because it need not be a child of this process."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(pidfd, done.set)
    await done.wait()
    loop.remove_reader(pidfd)
    os.close(pidfd)


class LogWaiter(logging.Handler):
    """A log handler that lets a test wait for a line of the log."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: asyncio.Queue[str] = asyncio.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.put_nowait(record.getMessage())

    async def line_with(self, part: str) -> str:
        while part not in (line := await self._lines.get()):
            pass
        return line


@pytest.fixture
def log(io_loop):
    handler = LogWaiter()
    logging.getLogger("semantik.embedded").addHandler(handler)
    yield handler
    logging.getLogger("semantik.embedded").removeHandler(handler)


async def test_both_stores_answer_and_end_with_the_context(tmp_path):
    data = tmp_path / "my data 100% ä"
    async with running(data) as stores:
        assert (data / "run").stat().st_mode & 0o777 == 0o700
        async with Redis.from_url(stores.redis_url) as redis:
            assert await redis.ping()
        mongo = AsyncIOMotorClient(stores.mongo_url)
        await mongo.semantik.notes.insert_one({"_id": 1})
        assert await mongo.other.notes.find_one({}) is None, "databases are separate"
        mongo.close()
        processes = store_processes()
        assert not stores.failure.done()
    assert processes and not any(process.is_running() for process in processes)
    assert not list((data / "mongo").glob("*-wal")), "SQLite was closed and its write-ahead log merged"


async def test_suspended_children_still_close_their_files(tmp_path):
    async with running(tmp_path) as stores:
        mongo = AsyncIOMotorClient(stores.mongo_url)
        await mongo.semantik.notes.insert_one({"_id": 1})
        mongo.close()
        processes = store_processes()
        for process in processes:
            process.suspend()
    assert processes and not any(process.is_running() for process in processes)
    assert not list((tmp_path / "mongo").glob("*-wal"))


async def test_only_requested_stores_are_started(tmp_path):
    async with running(tmp_path, mongo=False, redis=False) as stores:
        assert (stores.mongo_url, stores.redis_url) == ("", "")
        assert not store_processes()


@pytest.mark.noisy
async def test_a_killed_redis_restarts_with_its_data(tmp_path, log):
    async with running(tmp_path, mongo=False) as stores, Redis.from_url(stores.redis_url) as redis:
        await redis.xadd("stream", {"n": 1})
        child("redis").kill()
        assert "SIGKILL" in await log.line_with("Redis died")
        await log.line_with("Redis is back")
        assert await redis.xlen("stream") == 1


@pytest.mark.noisy
async def test_a_killed_mongo_keeps_acknowledged_writes(tmp_path, log):
    async with running(tmp_path, redis=False) as stores:
        mongo = AsyncIOMotorClient(stores.mongo_url)
        await mongo.semantik.chunks.insert_many([{"_id": n, "vector": os.urandom(768)} for n in range(500)])
        child("mongo").kill()
        await log.line_with("MongoDB is back")
        assert len(await mongo.semantik.chunks.find({}).to_list(None)) == 500
        mongo.close()


async def test_writes_are_visible_at_once_on_the_read_connection(tmp_path):
    async with running(tmp_path, redis=False) as stores:
        writes, reads = AsyncIOMotorClient(stores.mongo_url), AsyncIOMotorClient(stores.mongo_reads_url)
        for n in range(50):
            await writes.semantik.notes.insert_one({"_id": n, "value": 0})
            assert await reads.semantik.notes.find_one({"_id": n}) == {"_id": n, "value": 0}
            await writes.semantik.notes.update_one({"_id": n}, {"$set": {"value": 1}})
            assert await reads.semantik.notes.find_one({"_id": n}) == {"_id": n, "value": 1}
            await writes.semantik.notes.delete_one({"_id": n})
            assert await reads.semantik.notes.find_one({"_id": n}) is None
        writes.close()
        reads.close()


async def test_twenty_concurrent_writers_lose_no_write(tmp_path):
    async with running(tmp_path, redis=False) as stores:
        clients = [AsyncIOMotorClient(stores.mongo_url) for _ in range(20)]
        await clients[0].semantik.documents.create_index([("path", 1)], unique=True)
        await clients[0].semantik.counters.insert_one({"_id": "seq", "value": 0})

        async def write(writer: int) -> int:
            database, refused = clients[writer].semantik, 0
            for n in range(10):
                await database.counters.update_one({"_id": "seq"}, {"$inc": {"value": 1}})
                await database.chunks.insert_many([{"writer": writer, "n": n} for _ in range(5)])
                try:
                    await database.documents.insert_one({"path": n})
                except DuplicateKeyError:
                    refused += 1
            return refused

        refused = await asyncio.gather(*(write(writer) for writer in range(20)))
        database = clients[0].semantik
        assert (await database.counters.find_one({"_id": "seq"}))["value"] == 200
        assert len(await database.chunks.find({}).to_list(None)) == 1000
        assert sum(refused) == 190
        for client in clients:
            client.close()


async def test_children_end_with_a_killed_server_and_the_data_remains(tmp_path):
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVER, str(tmp_path), stdout=subprocess.PIPE
    )
    assert server.stdout is not None
    mongo_url, redis_url = (await server.stdout.readline()).decode().split()
    mongo = AsyncIOMotorClient(mongo_url)
    await mongo.semantik.notes.insert_one({"_id": 1})
    mongo.close()
    async with Redis.from_url(redis_url) as redis:
        await redis.set("note", "kept")
    children = [os.pidfd_open(child(store, server.pid).pid) for store in ("mongo", "mongo-reads", "redis")]
    server.kill()
    await server.wait()
    async with running(tmp_path) as stores:
        for pidfd in children:
            await wait_ended(pidfd)
        mongo = AsyncIOMotorClient(stores.mongo_url)
        assert await mongo.semantik.notes.find_one({}) == {"_id": 1}
        mongo.close()
        async with Redis.from_url(stores.redis_url) as redis:
            assert await redis.get("note") == b"kept"


async def test_sockets_of_a_long_data_path_are_placed_elsewhere(tmp_path, log):
    data = tmp_path / ("deep" * 30) / "data"
    async with running(data) as stores:
        sockets = Path(stores.redis_url.removeprefix("unix://")).parent
        assert sockets.stat().st_mode & 0o777 == 0o700
        async with Redis.from_url(stores.redis_url) as redis:
            assert await redis.ping()
    assert not sockets.exists()
    assert (data / "redis" / "appendonly.aof").exists()


async def test_a_store_that_cannot_start_reports_the_reason(tmp_path):
    (tmp_path / "redis").mkdir()
    (tmp_path / "redis" / "appendonly.aof").write_text("no log of Redis\n" * 10)
    with pytest.raises(Unavailable, match=r"embedded Redis ended at its start: .*[Bb]ad file format"):
        async with running(tmp_path):
            pass
    assert not store_processes()


@pytest.mark.noisy
async def test_a_store_that_keeps_failing_sets_the_failure(tmp_path, log):
    async with running(tmp_path, mongo=False) as stores:
        redis = child("redis")
        redis.kill()
        await log.line_with("Redis died")
        (tmp_path / "redis" / "appendonly.aof").write_text("no log of Redis\n" * 10)
        with pytest.raises(Unavailable, match="died 5 times"):
            await stores.failure


async def test_child_logs_are_empty_and_rotated(tmp_path):
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "mongo.log").write_bytes(b"old\n" * (1 << 19))
    async with running(tmp_path, redis=False) as stores:
        mongo = AsyncIOMotorClient(stores.mongo_url)
        await mongo.semantik.notes.insert_one({"kind": "a"})
        found = mongo.semantik.notes.aggregate([{"$group": {"_id": "$kind", "n": {"$sum": 1}}}])
        assert await found.to_list(None) == [{"_id": "a", "n": 1}]
        mongo.close()
    assert (tmp_path / "log" / "mongo.log").read_text() == ""
    assert (tmp_path / "log" / "mongo.log.1").exists()


async def test_stores_share_the_servers_session_but_not_its_process_group(tmp_path: Path) -> None:
    """The kernel may share processors by session, and niceness counts within one. Ctrl-C goes to one process group."""
    async with running(tmp_path):
        for each in store_processes():
            assert os.getsid(each.pid) == os.getsid(0)
            assert os.getpgid(each.pid) == each.pid != os.getpgid(0)


async def test_processes_that_share_files_open_them_in_turn(tmp_path: Path) -> None:
    """Otherwise each would find the database locked that the other creates."""
    (tmp_path / "mongo").mkdir()
    lock = os.open(tmp_path / "mongo", os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    stores = running(tmp_path, redis=False)
    starting = asyncio.create_task(stores.__aenter__())
    try:
        done, _ = await asyncio.wait([starting], timeout=2)
        assert not done
    finally:
        os.close(lock)
        await starting
        await stores.__aexit__(None, None, None)
