"""As a service: the units are sound, systemd hears how the server does."""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from support.patience import patience
from support.server import ROOT, Serving

from semantik.app.lifecycle import STOP_S
from semantik.app.sd_notify import Notifier

UNITS = sorted((ROOT / "conf" / "systemd").iterdir())
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
OPEN = ("--auth-registration", "open")
_WATCHDOG_S = 2.0

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")


def _analyze(*arguments: str | Path) -> str:
    done = subprocess.run(
        ["systemd-analyze", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=patience(),
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@needs_systemd
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    for unit in UNITS:
        # Installed is what this checkout has, and what is still to come there.
        text = re.sub(r"/opt/semantik/bin/[\w-]+", str(ROOT / "bin" / "semantik-server"), unit.read_text())
        (tmp_path / unit.name).write_text(text.replace("/opt/semantik", str(ROOT)))
    assert _analyze("verify", "--man=no", *(tmp_path / unit.name for unit in UNITS)) == ""


@needs_systemd
@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_service_that_is_broken_into_harms_little(unit: Path) -> None:
    told = _analyze("security", "--offline=true", "--no-pager", unit)
    score = re.search(r"exposure level for \S+: ([\d.]+)", told)
    assert score is not None and float(score[1]) < 3.0, told


def test_the_service_waits_longer_for_its_end_than_the_server_takes() -> None:
    text = (ROOT / "conf" / "systemd" / "semantik.service").read_text()
    service = dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))
    assert float(service["TimeoutStopSec"].removesuffix("s")) > STOP_S + 5
    assert service["KillMode"] == "mixed", "the server ends its stores itself"
    assert service["OOMPolicy"] == "continue", "a worker that is ended for want of memory costs one document"


class Manager:
    """Stands where systemd does: `hear` gives what was said, a dictionary a datagram."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._line.bind("\0" + address[1:] if address.startswith("@") else address)
        self._line.setblocking(False)

    async def hear(self, within_s: float | None = None) -> dict[str, str]:
        async with asyncio.timeout(patience() if within_s is None else within_s):
            message = await asyncio.get_running_loop().sock_recv(self._line, 4096)
        return dict(line.split("=", 1) for line in message.decode().split("\n"))

    async def hear_of(self, name: str) -> dict[str, str]:
        while name not in (said := await self.hear()):
            assert said == {"WATCHDOG": "1"}, said
        return said

    @property
    def environ(self) -> dict[str, str]:
        return {"NOTIFY_SOCKET": self.address, "WATCHDOG_USEC": f"{_WATCHDOG_S * 1e6:.0f}"}

    def close(self) -> None:
        self._line.close()


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest) -> Iterator[Manager]:
    with tempfile.TemporaryDirectory() as folder:
        made = Manager(f"{'@' if request.param == 'abstract' else ''}{folder}/notify")
        yield made
        made.close()


@pytest.mark.gen_test
async def test_systemd_is_told_of_the_start_the_reload_and_the_end(
    start: Callable[..., Serving], manager: Manager
) -> None:
    serving = await asyncio.to_thread(start, env=manager.environ)
    assert await manager.hear() == {"READY": "1", "STATUS": f"Serving at {serving.url}"}
    await manager.hear_of("WATCHDOG")
    serving.process.send_signal(signal.SIGHUP)
    reloading = await manager.hear_of("RELOADING")
    assert reloading["MONOTONIC_USEC"].isdecimal() and "\n" not in reloading["STATUS"]
    assert (await manager.hear_of("READY"))["STATUS"] == f"Serving at {serving.url}"
    for child in serving.tree[1:]:
        assert "NOTIFY_SOCKET" not in child.environ(), "nobody else speaks in its name"
    assert await asyncio.to_thread(serving.stop) == 0
    assert "STOPPING" in await manager.hear_of("STOPPING")


@pytest.mark.server
@pytest.mark.noisy
@pytest.mark.gen_test
async def test_a_loop_that_stands_still_gives_no_sign_of_life(tmp_path: Path) -> None:
    """It stands still as it would on a dead disk: nobody reads its log, so writing a line of it does not end."""
    manager = Manager(f"@{tmp_path}/notify")
    log, end = os.pipe()
    fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, 4096)
    process = _begun(tmp_path, manager.environ, end)
    try:
        port = int((await manager.hear_of("READY"))["STATUS"].rpartition(":")[2])
        for _ in range(3):
            assert await manager.hear() == {"WATCHDOG": "1"}
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n" * 500)
        with pytest.raises(TimeoutError):  # systemd would not wait longer
            while True:
                await manager.hear(within_s=_WATCHDOG_S)
        drain = asyncio.create_task(asyncio.to_thread(_read_all, log))
        assert await manager.hear() == {"WATCHDOG": "1"}, "read, it goes on"
        process.send_signal(signal.SIGABRT)
        assert await asyncio.to_thread(process.wait, patience()) == -signal.SIGABRT
        assert b"Fatal Python error: Aborted" in await drain, "the log says where it stood"
        writer.close()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        manager.close()


def _begun(tmp_path: Path, environ: dict[str, str], log: int) -> subprocess.Popen[bytes]:
    """A server that is not ready yet, and whose log goes to the descriptor `log`, which is closed here."""
    process = subprocess.Popen(
        [ROOT / "bin" / "semantik-server", "--port", "0", "--data", tmp_path / "data"],
        env={**os.environ, **environ},
        stderr=log,
    )
    os.close(log)
    return process


def _read_all(pipe: int) -> bytes:
    with open(pipe, "rb") as log:
        return log.read()


@pytest.mark.noisy
@pytest.mark.gen_test
async def test_no_sign_of_life_once_a_part_has_died(start: Callable[..., Serving], tmp_path: Path) -> None:
    manager = Manager(f"@{tmp_path}/notify")
    serving = await asyncio.to_thread(start, env=manager.environ)
    await manager.hear_of("READY")
    (serving.data / "redis" / "appendonly.aof").write_text("no log of Redis\n" * 10)
    for child in serving.tree[1:]:
        with suppress(psutil.Error):
            if "redis-server" in " ".join(child.cmdline()):
                child.kill()
    await manager.hear_of("STOPPING")
    assert await asyncio.to_thread(serving.process.wait, patience()) == 1
    with pytest.raises(TimeoutError):
        await manager.hear(within_s=0)
    manager.close()


@pytest.mark.gen_test
async def test_what_is_no_unix_socket_or_meant_for_another_is_left_alone(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    environ = {"NOTIFY_SOCKET": f"@{tmp_path}", "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}
    notifier = Notifier.from_environment(environ)
    assert environ == {}
    with pytest.raises(TimeoutError):  # another process is watched: this one has nothing to tell
        await asyncio.wait_for(notifier.keep_alive(), 0.1)
    await Notifier.from_environment({}).ready("nobody hears it")


@pytest.mark.noisy
@pytest.mark.gen_test
async def test_a_manager_that_is_gone_is_no_reason_to_end(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    await Notifier(str(tmp_path / "nobody")).ready("up")
    await Notifier.from_environment({"NOTIFY_SOCKET": "vsock:2:1"}).ready("up")
    assert [record.getMessage() for record in caplog.records] == [
        "The service manager could not be notified of READY=1: [Errno 2] No such file or directory",
        "NOTIFY_SOCKET = 'vsock:2:1' is not a Unix socket; the service manager is not notified",
    ]


@pytest.mark.server
def test_it_ends_with_its_terminal(tmp_path: Path) -> None:
    """SIGHUP means something else then, and a server that nobody sees any more would hold the data folder."""
    ours, theirs = os.openpty()
    server = [ROOT / "bin" / "semantik-server", "--port", "0", "--data", tmp_path / "data"]
    process = subprocess.Popen(
        ["setsid", "--ctty", *server],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"Semantik is ready")
    os.close(ours)
    try:
        process.wait(patience())
        assert process.stdout.read() == b"", "nobody of it is left"
    finally:
        process.kill()
