"""The embedded stores as real children: they start, answer, survive, and never outlive their server."""

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

from semantik.core.errors import ConfigError, Conflict, Unavailable
from semantik.storage.data_folder import data_lock, instance_id
from semantik.storage.embedded import EmbeddedStores, embedded

pytestmark = pytest.mark.gen_test

# A server of its own process: it tells where its stores are, and stays until it is killed.
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


def child(store: str, of: int | None = None) -> psutil.Process:
    """The process that serves `store`, "mongo", "mongo-reads" or "redis", of the server with the process id `of`."""
    lines = {each: each.cmdline() for each in psutil.Process(of).children()}
    if store == "redis":
        [found] = [each for each, line in lines.items() if any("redis-server" in part for part in line)]
    else:
        [found] = [each for each, line in lines.items() if store in line]
    return found


async def ended(process: int) -> None:
    """Wait for the end of a process, given as a pidfd: it need not be our child."""
    loop, gone = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(process, gone.set)
    await gone.wait()
    loop.remove_reader(process)
    os.close(process)


class Heard(logging.Handler):
    """Waits for a line of the log instead of a while."""

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
def heard(io_loop):
    handler = Heard()
    logging.getLogger("semantik.embedded").addHandler(handler)
    yield handler
    logging.getLogger("semantik.embedded").removeHandler(handler)


async def test_both_answer_and_are_gone_afterwards(tmp_path):
    data = tmp_path / "my data 100% ä"
    async with running(data) as stores:
        assert (data / "run").stat().st_mode & 0o777 == 0o700
        async with Redis.from_url(stores.redis_url) as redis:
            assert await redis.ping()
        mongo = AsyncIOMotorClient(stores.mongo_url)
        await mongo.semantik.notes.insert_one({"_id": 1})
        assert await mongo.other.notes.find_one({}) is None, "databases are kept apart"
        mongo.close()
        processes = store_processes()
        assert not stores.failure.done()
    assert processes and not any(process.is_running() for process in processes)
    assert not list((data / "mongo").glob("*-wal")), "SQLite was closed, its log folded in"


async def test_children_that_were_stopped_close_their_files_all_the_same(tmp_path):
    async with running(tmp_path) as stores:
        mongo = AsyncIOMotorClient(stores.mongo_url)
        await mongo.semantik.notes.insert_one({"_id": 1})
        mongo.close()
        processes = store_processes()
        for process in processes:
            process.suspend()
    assert processes and not any(process.is_running() for process in processes)
    assert not list((tmp_path / "mongo").glob("*-wal"))


async def test_only_what_is_wanted_is_started(tmp_path):
    async with running(tmp_path, mongo=False, redis=False) as stores:
        assert (stores.mongo_url, stores.redis_url) == ("", "")
        assert not store_processes()


@pytest.mark.noisy
async def test_redis_comes_back_with_its_data(tmp_path, heard):
    async with running(tmp_path, mongo=False) as stores, Redis.from_url(stores.redis_url) as redis:
        await redis.xadd("stream", {"n": 1})
        child("redis").kill()
        assert "SIGKILL" in await heard.line_with("Redis died")
        await heard.line_with("Redis is back")
        assert await redis.xlen("stream") == 1


@pytest.mark.noisy
async def test_mongo_loses_nothing_that_it_acknowledged(tmp_path, heard):
    async with running(tmp_path, redis=False) as stores:
        mongo = AsyncIOMotorClient(stores.mongo_url)
        await mongo.semantik.chunks.insert_many([{"_id": n, "vector": os.urandom(768)} for n in range(500)])
        child("mongo").kill()
        await heard.line_with("MongoDB is back")
        assert len(await mongo.semantik.chunks.find({}).to_list(None)) == 500
        mongo.close()


async def test_what_is_written_is_read_at_once_where_nothing_is_written(tmp_path):
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


async def test_twenty_writers_at_once(tmp_path):
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


async def test_children_die_with_a_killed_server_and_the_next_finds_the_data(tmp_path):
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
        for process in children:
            await ended(process)
        mongo = AsyncIOMotorClient(stores.mongo_url)
        assert await mongo.semantik.notes.find_one({}) == {"_id": 1}
        mongo.close()
        async with Redis.from_url(stores.redis_url) as redis:
            assert await redis.get("note") == b"kept"


async def test_a_long_data_path_puts_the_sockets_elsewhere(tmp_path, heard):
    data = tmp_path / ("deep" * 30) / "data"
    async with running(data) as stores:
        sockets = Path(stores.redis_url.removeprefix("unix://")).parent
        assert sockets.stat().st_mode & 0o777 == 0o700
        async with Redis.from_url(stores.redis_url) as redis:
            assert await redis.ping()
    assert not sockets.exists()
    assert (data / "redis" / "appendonly.aof").exists()


async def test_a_store_that_cannot_start_says_why(tmp_path):
    (tmp_path / "redis").mkdir()
    (tmp_path / "redis" / "appendonly.aof").write_text("no log of Redis\n" * 10)
    with pytest.raises(Unavailable, match=r"embedded Redis ended at its start: .*[Bb]ad file format"):
        async with running(tmp_path):
            pass
    assert not store_processes()


@pytest.mark.noisy
async def test_a_store_that_keeps_failing_is_told_to_the_server(tmp_path, heard):
    async with running(tmp_path, mongo=False) as stores:
        redis = child("redis")
        redis.kill()
        await heard.line_with("Redis died")
        (tmp_path / "redis" / "appendonly.aof").write_text("no log of Redis\n" * 10)
        with pytest.raises(Unavailable, match="died 5 times"):
            await stores.failure


async def test_the_children_keep_quiet_and_their_logs_stay_small(tmp_path):
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


async def test_a_second_server_on_the_same_folder_is_refused(tmp_path):
    async with data_lock(tmp_path):
        with pytest.raises(Conflict, match=f"in use by the server with process id {os.getpid()}; stop it"):
            async with data_lock(tmp_path):
                pass
    async with data_lock(tmp_path):
        pass


async def test_a_new_server_waits_for_what_an_ended_one_left_behind(tmp_path):
    async with data_lock(tmp_path) as lock:
        left = await asyncio.create_subprocess_exec("cat", stdin=subprocess.PIPE, pass_fds=(lock,))
    entered = asyncio.Event()

    async def next_server() -> None:
        async with data_lock(tmp_path):
            entered.set()

    waiting = asyncio.create_task(next_server())
    for _ in range(3):
        await asyncio.sleep(0)
    assert not entered.is_set()
    await left.communicate(b"")
    await waiting
    assert entered.is_set()


@pytest.mark.parametrize("where", ["file", "file/below", "/proc/semantik"])
async def test_an_unusable_data_folder_is_refused(tmp_path, where):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"cannot be the data folder: .*; choose a folder"):
        async with data_lock(tmp_path / where):
            pass


async def test_the_instance_id_stays(tmp_path):
    first = instance_id(tmp_path)
    assert instance_id(tmp_path) == first
    (tmp_path / "instance").write_text("nonsense")
    with pytest.raises(ConfigError, match="does not hold a UUID; delete it"):
        instance_id(tmp_path)


async def test_the_stores_are_in_the_servers_session_and_out_of_reach_of_its_terminal(tmp_path: Path) -> None:
    """By session the kernel may share processors: niceness counts within one. Ctrl-C goes to one group."""
    async with running(tmp_path):
        for each in store_processes():
            assert os.getsid(each.pid) == os.getsid(0)
            assert os.getpgid(each.pid) == each.pid != os.getpgid(0)


async def test_two_that_share_files_open_them_one_after_the_other(tmp_path: Path) -> None:
    """Each would find a database locked that the other just makes."""
    (tmp_path / "mongo").mkdir()
    holding = os.open(tmp_path / "mongo", os.O_RDONLY)
    fcntl.flock(holding, fcntl.LOCK_EX)
    stores = running(tmp_path, redis=False)
    entering = asyncio.create_task(stores.__aenter__())
    try:
        done, _ = await asyncio.wait([entering], timeout=2)
        assert not done
    finally:
        os.close(holding)
        await entering
        await stores.__aexit__(None, None, None)
