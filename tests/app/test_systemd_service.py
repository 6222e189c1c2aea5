"""The server as a systemd service: valid units, and notifications of its state."""

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
from support.processes import command_line
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
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for unit in UNITS:
        # The paths of the units are those of an installation, so point them at this checkout.
        (tmp_path / unit.name).write_text(unit.read_text().replace("/opt/semantik", str(ROOT)))
    # A template is verified as one of its instances.
    names = [unit.name.replace("@.", "@8081.") for unit in UNITS]
    assert _analyze("verify", "--man=no", *(tmp_path / name for name in names)) == ""


@needs_systemd
@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_services_have_a_low_exposure_level(unit: Path) -> None:
    output = _analyze("security", "--offline=true", "--no-pager", unit)
    score = re.search(r"exposure level for \S+: ([\d.]+)", output)
    assert score is not None and float(score[1]) < 1.5, output


@pytest.mark.parametrize("name", ["semantik@", "semantik-worker"])
def test_other_services_may_do_no_more_than_the_server(name: str) -> None:
    own, its = (_directives(each) for each in ("semantik", name))
    differing = {"ExecStart", "StateDirectory", "WorkingDirectory", "Description", "Documentation"}
    if name == "semantik-worker":  # it neither notifies systemd nor reads files of the machine
        differing |= {"Type", "WatchdogSec", "ExecReload", "TimeoutStartSec", "ProtectHome"}
        assert its["ProtectHome"] == ["yes"]
    else:
        assert its["ExecStart"] == [f"{own['ExecStart'][0]} --port %i --data %S/semantik-%i"]
        assert its.pop("EnvironmentFile") == [*own.pop("EnvironmentFile"), "-%E/semantik/%i.environment"]
    assert {key for key in own | its if own.get(key) != its.get(key)} == differing
    program = its["ExecStart"][0].split()[0].removeprefix("/opt/semantik/")
    flags = re.findall(r" (--[\w-]+)", its["ExecStart"][0])
    known = subprocess.run(
        [ROOT / program, "--help"], capture_output=True, text=True, timeout=patience()
    ).stdout
    assert flags and all(f"{flag} " in known for flag in flags)


def _directives(name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    text = (ROOT / "conf" / "systemd" / f"{name}.service").read_text()
    for key, value in re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE):
        found.setdefault(key, []).append(value)
    return found


def test_the_stop_timeout_of_the_service_exceeds_that_of_the_server() -> None:
    text = (ROOT / "conf" / "systemd" / "semantik.service").read_text()
    service = dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))
    assert float(service["TimeoutStopSec"].removesuffix("s")) > STOP_S + 5
    assert service["KillMode"] == "mixed", "the server stops its stores itself"
    assert service["OOMPolicy"] == "continue", "a worker killed for lack of memory costs one document"


class Manager:
    """A substitute for systemd. `receive` returns the fields of one notification datagram."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self._socket.setblocking(False)

    async def receive(self, within_s: float | None = None) -> dict[str, str]:
        async with asyncio.timeout(patience() if within_s is None else within_s):
            message = await asyncio.get_running_loop().sock_recv(self._socket, 4096)
        return dict(line.split("=", 1) for line in message.decode().split("\n"))

    async def receive_with(self, name: str) -> dict[str, str]:
        while name not in (fields := await self.receive()):
            assert fields == {"WATCHDOG": "1"}, fields
        return fields

    @property
    def environ(self) -> dict[str, str]:
        return {"NOTIFY_SOCKET": self.address, "WATCHDOG_USEC": f"{_WATCHDOG_S * 1e6:.0f}"}

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest) -> Iterator[Manager]:
    with tempfile.TemporaryDirectory() as folder:
        substitute = Manager(f"{'@' if request.param == 'abstract' else ''}{folder}/notify")
        yield substitute
        substitute.close()


@pytest.mark.gen_test
async def test_systemd_is_notified_of_start_reload_and_stop(
    start: Callable[..., Serving], manager: Manager
) -> None:
    serving = await asyncio.to_thread(start, env=manager.environ)
    assert await manager.receive() == {"READY": "1", "STATUS": f"Serving at {serving.url}"}
    await manager.receive_with("WATCHDOG")
    serving.process.send_signal(signal.SIGHUP)
    reloading = await manager.receive_with("RELOADING")
    assert reloading["MONOTONIC_USEC"].isdecimal() and "\n" not in reloading["STATUS"]
    assert (await manager.receive_with("READY"))["STATUS"] == f"Serving at {serving.url}"
    for child in serving.tree[1:]:
        assert "NOTIFY_SOCKET" not in child.environ(), "child processes cannot notify systemd"
    assert await asyncio.to_thread(serving.stop) == 0
    assert "STOPPING" in await manager.receive_with("STOPPING")


@pytest.mark.server
@pytest.mark.noisy
@pytest.mark.gen_test
async def test_a_blocked_loop_sends_no_watchdog_notification(tmp_path: Path) -> None:
    """The loop blocks as on a dead disk: nobody reads the log of the server, so writing a line to it hangs."""
    manager = Manager(f"@{tmp_path}/notify")
    log, log_writer = os.pipe()
    fcntl.fcntl(log_writer, fcntl.F_SETPIPE_SZ, 4096)
    process = _start_unready(tmp_path, manager.environ, log_writer)
    try:
        port = int((await manager.receive_with("READY"))["STATUS"].rpartition(":")[2])
        for _ in range(3):
            assert await manager.receive() == {"WATCHDOG": "1"}
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n" * 500)
        with pytest.raises(TimeoutError):  # systemd would restart the service now
            while True:
                await manager.receive(within_s=_WATCHDOG_S)
        drain = asyncio.create_task(asyncio.to_thread(_read_all, log))
        assert await manager.receive() == {"WATCHDOG": "1"}, "the loop continues once the log is read"
        process.send_signal(signal.SIGABRT)
        # Python's fault handler reads the frames of threads that go on running, and now and then a page too many.
        assert -await asyncio.to_thread(process.wait, patience()) in (signal.SIGABRT, signal.SIGSEGV)
        assert b"Fatal Python error: Aborted" in await drain, "the log has the traceback of the blocked loop"
        writer.close()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        manager.close()


def _start_unready(tmp_path: Path, environ: dict[str, str], log: int) -> subprocess.Popen[bytes]:
    """Start a server that writes its log to the descriptor `log`; returns before it is ready. Closes the descriptor."""
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
async def test_no_notification_follows_the_failure_of_a_part(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    manager = Manager(f"@{tmp_path}/notify")
    serving = await asyncio.to_thread(start, env=manager.environ)
    await manager.receive_with("READY")
    (serving.data / "redis" / "appendonly.aof").write_text("no log of Redis\n" * 10)
    for child in serving.tree[1:]:
        with suppress(psutil.Error):
            if "redis-server" in " ".join(command_line(child)):
                child.kill()
    await manager.receive_with("STOPPING")
    assert await asyncio.to_thread(serving.process.wait, patience()) == 1
    with pytest.raises(TimeoutError):
        await manager.receive(within_s=0)
    manager.close()


@pytest.mark.gen_test
async def test_a_watchdog_of_another_process_is_not_notified(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    environ = {"NOTIFY_SOCKET": f"@{tmp_path}", "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}
    notifier = Notifier.from_environment(environ)
    assert environ == {}
    with pytest.raises(TimeoutError):  # the watchdog is for another process, so this one sends nothing
        await asyncio.wait_for(notifier.keep_alive(), 0.1)
    await Notifier.from_environment({}).ready("nobody receives it")


@pytest.mark.noisy
@pytest.mark.gen_test
async def test_an_unreachable_manager_is_only_a_warning(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    await Notifier(str(tmp_path / "nobody")).ready("up")
    await Notifier.from_environment({"NOTIFY_SOCKET": "vsock:2:1"}).ready("up")
    assert [record.getMessage() for record in caplog.records] == [
        "The service manager could not be notified of READY=1: [Errno 2] No such file or directory",
        "NOTIFY_SOCKET = 'vsock:2:1' is not a Unix socket; the service manager is not notified",
    ]


@pytest.mark.server
def test_the_server_ends_with_its_terminal(tmp_path: Path) -> None:
    """Started at a terminal, SIGHUP ends the server: otherwise it would keep the data folder locked unseen."""
    controller, terminal = os.openpty()
    server = [ROOT / "bin" / "semantik-server", "--port", "0", "--data", tmp_path / "data"]
    process = subprocess.Popen(
        ["setsid", "--ctty", *server],
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    os.close(terminal)
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"Semantik is ready")
    assert b"/#/setup?code=" in process.stdout.readline()
    os.close(controller)
    try:
        process.wait(patience())
        assert process.stdout.read() == b"", "no process of the server is left"
    finally:
        process.kill()
