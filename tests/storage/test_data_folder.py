"""The data folder: its lock, which one server holds, and its instance id."""

from __future__ import annotations

import asyncio
import os
import subprocess

import pytest

from semantik.core.errors import ConfigError, Conflict
from semantik.storage.data_folder import data_lock, instance_id

pytestmark = pytest.mark.gen_test


async def test_a_second_server_on_the_same_folder_is_refused(tmp_path):
    async with data_lock(tmp_path):
        with pytest.raises(Conflict, match=f"in use by the server with process id {os.getpid()}; stop it"):
            async with data_lock(tmp_path):
                pass
    async with data_lock(tmp_path):
        pass


async def test_a_new_server_waits_for_children_that_hold_the_lock(tmp_path):
    async with data_lock(tmp_path) as lock:
        child = await asyncio.create_subprocess_exec("cat", stdin=subprocess.PIPE, pass_fds=(lock,))
    locked = asyncio.Event()

    async def next_server() -> None:
        async with data_lock(tmp_path):
            locked.set()

    next_task = asyncio.create_task(next_server())
    for _ in range(3):
        await asyncio.sleep(0)
    assert not locked.is_set()
    await child.communicate(b"")
    await next_task
    assert locked.is_set()


@pytest.mark.parametrize("where", ["file", "file/below", "/proc/semantik"])
async def test_an_unusable_data_folder_is_refused(tmp_path, where):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"cannot be the data folder: .*; choose a folder"):
        async with data_lock(tmp_path / where):
            pass


async def test_the_instance_id_is_stable_and_validated(tmp_path):
    first = instance_id(tmp_path)
    assert instance_id(tmp_path) == first
    (tmp_path / "instance").write_text("nonsense")
    with pytest.raises(ConfigError, match="does not hold a UUID; delete it"):
        instance_id(tmp_path)


async def test_a_folder_that_existed_is_closed_to_other_users_and_so_are_new_files(tmp_path):
    data = tmp_path / "data"
    (data / "index").mkdir(parents=True)
    (data / "index" / "old").touch()
    (tmp_path / "outside").touch()
    (tmp_path / "outside").chmod(0o644)
    (data / "link").symlink_to(tmp_path / "outside")
    for path in (data, data / "index", data / "index" / "old"):
        path.chmod(0o777)
    async with data_lock(data):
        (data / "new").touch()
        modes = {path.name: path.stat().st_mode & 0o777 for path in (data, *data.rglob("*"))}
    assert modes == {"data": 0o700, "index": 0o700, "old": 0o700, "lock": 0o600, "new": 0o600, "link": 0o644}
    (tmp_path / "later").touch()
    assert (tmp_path / "later").stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask
