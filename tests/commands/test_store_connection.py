"""How commands connect to the stores: those of a running server, their own, one command at a time, or refused."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from support.embedded_stores import store_processes
from support.scripts import barred, script

from semantik.commands.store_connection import find_stores, open_stores
from semantik.config.settings import Settings
from semantik.core.errors import ConfigError, Forbidden, Unavailable
from semantik.progress.usage import redis_memory
from semantik.storage.data_folder import data_lock, is_served
from semantik.storage.embedded import EmbeddedStores, embedded

pytestmark = pytest.mark.gen_test


@asynccontextmanager
async def serving(data: Path, mongo: bool = True) -> AsyncIterator[EmbeddedStores]:
    """Lock the data folder and start its stores, as a server does."""
    async with data_lock(data) as lock, embedded(data, mongo, True, lock) as stores:
        yield stores


async def test_without_a_server_a_command_starts_and_stops_the_stores(tmp_path: Path) -> None:
    async with open_stores(Settings(data=tmp_path), create=True) as stores:
        assert not stores.is_served
        assert await stores.store.ping()
        assert await redis_memory(stores.redis_url) > 0
        assert not is_served(tmp_path), "a command is not a server"
        processes = store_processes()
    assert len(processes) == 3 and not any(process.is_running() for process in processes)


@pytest.mark.parametrize("name", ["data", "deep" * 30], ids=["short", "too long for a socket"])
async def test_beside_a_server_its_stores_are_used(tmp_path: Path, name: str) -> None:
    data = tmp_path / name
    async with serving(data) as served:
        started = store_processes()
        assert is_served(data)
        async with open_stores(Settings(data=data)) as stores:
            assert stores.is_served
            assert (stores.mongo_url, stores.redis_url) == (served.mongo_url, served.redis_url)
            assert await stores.store.ping()
            assert await redis_memory(stores.redis_url) > 0
            assert store_processes() == started
    assert not is_served(data)
    assert not (data / "run").is_symlink()


async def test_a_data_folder_may_be_renamed(tmp_path: Path) -> None:
    short, long = tmp_path / "data", tmp_path / ("deep" * 30)
    for before, now in ((None, short), (short, long), (long, short)):
        if before is not None:
            before.rename(now)
            if now == short:  # a killed server leaves a dangling link
                (now / "run").symlink_to(tmp_path / "missing")
        async with serving(now), open_stores(Settings(data=now)) as stores:
            assert stores.is_served


async def test_commands_and_servers_wait_for_a_running_command(tmp_path: Path) -> None:
    async with find_stores(Settings(data=tmp_path), create=True):
        started = asyncio.Event()

        async def connect() -> bool:
            started.set()
            async with find_stores(Settings(data=tmp_path)) as other:
                return other.is_served

        async def serve() -> None:
            async with serving(tmp_path):
                pass

        tasks = [asyncio.create_task(connect()), asyncio.create_task(serve())]
        await started.wait()
        done, _ = await asyncio.wait(tasks, timeout=0.2)
        assert not done
    await asyncio.gather(*tasks)


async def test_stores_with_urls_need_no_data_folder(tmp_path: Path) -> None:
    data = tmp_path / "there"
    async with serving(data) as served:
        elsewhere = Settings(data=tmp_path / "away", mongo_url=served.mongo_url)
        async with open_stores(elsewhere) as stores:
            assert (stores.redis_url, stores.is_served) == ("", False)
        both = Settings(data=data, mongo_url=served.mongo_url, redis_url=served.redis_url)
        async with find_stores(both) as found:
            assert found.is_served
    assert not (tmp_path / "away").exists()


async def test_a_server_with_an_external_mongodb_is_recognized(tmp_path: Path) -> None:
    async with serving(tmp_path, mongo=False):
        with pytest.raises(Unavailable, match="does not answer; if the server uses one of your own"):
            async with open_stores(Settings(data=tmp_path)):
                pass


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("missing", "does not exist"),
        ("file", "is a file"),
        ("file/below", "does not exist"),
        ("empty", "No server has used the folder"),
    ],
)
async def test_a_folder_that_is_no_data_folder_is_refused_and_not_changed(
    tmp_path: Path, name: str, why: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=why):
        async with open_stores(Settings(data=tmp_path / name)):
            pass
    assert [path.name for path in sorted(tmp_path.rglob("*"))] == ["empty", "file"]


async def test_an_unreadable_data_folder_is_refused_in_one_sentence(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with find_stores(Settings(data=data), create=True):
        pass
    for command in ("user", "status"):
        words = ("list",) if command == "user" else ()
        data.chmod(0)
        ended = await script(command, data, *words, prefix=barred())
        data.chmod(0o700)
        error = f"semantik-{command}: The data folder {data} cannot be read: Permission denied.\n"
        assert (ended.status, ended.out, ended.err) == (2, "", error)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can open the folders of other users")
async def test_root_creates_no_files_in_a_data_folder_of_another_user(tmp_path: Path) -> None:
    async with find_stores(Settings(data=tmp_path), create=True):
        pass
    for path in (tmp_path, *tmp_path.rglob("*")):
        shutil.chown(path, "nobody")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(Forbidden, match="belongs to the user nobody, and no server runs on it"):
        async with open_stores(Settings(data=tmp_path)):
            pass
    assert sorted(tmp_path.rglob("*")) == before
