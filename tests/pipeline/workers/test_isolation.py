"""What a worker process that hostile input has taken over cannot do."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import run
from support.pools import fork_servers

from pipeline.extraction.file_access import Places, opened
from pipeline.extraction.spool import temporary_file
from pipeline.isolation import landlock
from pipeline.workers.client import WorkerClient
from pipeline.workers.file_opener import FilesToOpen
from pipeline.workers.isolation import Isolation, WorkerIsolation
from semantik.config.settings import PoolSettings, Settings

pytestmark = [
    pytest.mark.usefixtures("light_fork_server"),
    pytest.mark.skipif(not landlock.version(), reason="this kernel has no Landlock"),
]

_TIMEOUT_S = 60.0
_TERMINAL_INPUT = 0x5412


def _isolation(data: Path) -> Isolation:
    settings = Settings(data=data, pool=PoolSettings(isolation="require"))
    return Isolation(lambda: settings, (str(Path(__file__).parent),), str(data / "models"))


def _in_worker(
    data: Path,
    function: Callable[..., Any],
    *args: Any,
    files: FilesToOpen | None = None,
    role: Callable[[Isolation], WorkerIsolation] = lambda isolation: isolation.reading,
) -> Any:
    answers = []

    async def test() -> None:
        client = WorkerClient(fork_servers().base, memory_bytes=1 << 30, isolation=role(_isolation(data)))
        try:
            answers.append(await client.run(function, *args, timeout_s=_TIMEOUT_S, files=files))
        finally:
            await client.close()

    run(test())
    return answers[0]


def _error(function: Callable[..., Any], *args: Any) -> str:
    """The name of the error that the system gives, empty if there is none."""
    try:
        function(*args)
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return ""


def _sockets(address: str) -> list[str]:
    def connect() -> None:
        socket.socket(socket.AF_UNIX).connect(address)

    kinds = [(family, kind) for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK)
             for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)]  # fmt: skip
    made = [_error(socket.socket, family, kind) for family, kind in kinds]
    return [*made, _error(socket.socketpair), _error(connect)]


def test_it_has_no_network_and_reaches_no_store(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as store:
        store.bind(str(tmp_path / "store.sock"))
        store.listen()
        assert set(_in_worker(tmp_path / "data", _sockets, str(tmp_path / "store.sock"))) == {"EPERM"}


def _files(secret: str, server: int) -> dict[str, str]:
    def read(path: str) -> str:
        return _error(lambda: Path(path).read_bytes())

    return {
        "a file": read(secret),
        "a folder": _error(os.listdir, str(Path(secret).parent)),
        "the environment of the server": read(f"/proc/{server}/environ"),
        "the memory of the server": read(f"/proc/{server}/mem"),
        "the open files of the server": _error(os.listdir, f"/proc/{server}/fd"),
        "a new file": _error(lambda: Path(secret + ".new").write_text("x")),
        "a temporary file": _error(tempfile.TemporaryFile),
        "a removal": _error(os.unlink, secret),
        "a program of its own": _error(subprocess.run, [secret]),
        "a file through a program": subprocess.run(["cat", secret], capture_output=True, text=True).stdout,
    }


def test_it_opens_no_files(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("#!/bin/sh\necho secret\n")
    secret.chmod(0o700)
    errors = _in_worker(tmp_path / "data", _files, str(secret), os.getpid())
    assert errors.pop("a file through a program") == ""
    assert {name: error for name, error in errors.items() if error not in ("EACCES", "EPERM")} == {}
    assert secret.read_text().startswith("#!")


def _read_handed_over(path: str, other: str) -> list[str]:
    texts = []
    for each in (path, other):
        with opened(each, Places((), ())) as file:
            texts.append(file.read().decode())
            texts.append(_error(Path(f"/proc/self/fd/{file.fileno()}").read_bytes))
    return [*texts, _error(Path(path).read_bytes)]


def test_it_reads_the_files_that_are_handed_over(tmp_path: Path) -> None:
    paths = [tmp_path / "one.txt", tmp_path / "two.txt"]
    for path in paths:
        path.write_text(f"The text of {path.name}.")
    files = FilesToOpen({str(path): Places((str(tmp_path),), ()) for path in paths}, _TIMEOUT_S)
    got = _in_worker(tmp_path / "data", _read_handed_over, *map(str, paths), files=files)
    assert got == ["The text of one.txt.", "EACCES", "The text of two.txt.", "EACCES", "EACCES"]


def _other_processes(server: int) -> dict[str, str]:
    return {
        "a signal to the server": _error(os.kill, server, 0),
        "a signal to itself": _error(os.kill, os.getpid(), 0),
        "a handle of the server": _error(lambda: signal.pidfd_send_signal(os.pidfd_open(server), 0)),
    }


def test_it_sends_no_signals_to_others(tmp_path: Path) -> None:
    errors = _in_worker(tmp_path, _other_processes, os.getpid())
    assert errors == {
        "a signal to the server": "EPERM",
        "a signal to itself": "",
        "a handle of the server": "EPERM",
    }


def _status() -> dict[str, str]:
    lines = Path("/proc/self/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if line.startswith(("Cap", "NoNewPrivs", "Seccomp:")))


def test_it_has_no_privileges_and_gets_none(tmp_path: Path) -> None:
    status = _in_worker(tmp_path, _status)
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert {int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}


def _descriptors() -> list[str]:
    return sorted(path.name for path in Path("/proc/self/fd").iterdir() if path.exists())


def test_it_inherits_no_descriptors(tmp_path: Path) -> None:
    # Its standard streams, the pipe and the socket to the server, and the files for what is unpacked.
    assert len(_in_worker(tmp_path, _descriptors)) <= 3 + 2 + 4 + 1


def _environment() -> list[str]:
    return [
        *os.environ.values(),
        Path("/proc/self/environ").read_text(),
        Path("/proc/self/cmdline").read_text(),
    ]


def test_no_child_has_a_secret_in_its_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMANTIK_AUTH_SECRET", "a-secret-of-the-server-that-nobody-knows")
    monkeypatch.setenv("SOMEBODY_ELSES_PASSWORD", "a-secret-of-the-server-that-nobody-knows")
    fork_servers().base.stop()
    assert "a-secret-of" not in "".join(_in_worker(tmp_path, _environment))


def _unpack() -> list[int]:
    sizes = []
    for _ in range(3):
        with_text = temporary_file()
        with_text.write(b"some text")
        with_text.flush()
        sizes.append(os.fstat(with_text.fileno()).st_size)
        del with_text
    return sizes


def test_what_it_unpacks_goes_into_files_that_it_was_given(tmp_path: Path) -> None:
    assert _in_worker(tmp_path, _unpack) == [9, 9, 9]


def _write_into(*folders: str) -> list[str]:
    return [_error(lambda folder=folder: Path(folder, "file").write_text("x")) for folder in folders]


def test_workers_that_build_indexes_write_there_only(tmp_path: Path) -> None:
    folders = [tmp_path / "data" / "index", tmp_path / "data" / "mongo"]
    for folder in folders:
        folder.mkdir(parents=True)
    got = _in_worker(
        tmp_path / "data", _write_into, *map(str, folders), role=lambda isolation: isolation.indexing
    )
    assert got == ["", "EACCES"]


def _libraries() -> list[str]:
    import pypdfium2  # noqa: F401

    text = subprocess.run([sys.executable, "-c", "print('a program runs')"], capture_output=True, text=True)
    return [text.stdout.strip()]


def test_libraries_and_programs_still_run(tmp_path: Path) -> None:
    assert _in_worker(tmp_path, _libraries) == ["a program runs"]


def test_of_a_checkout_only_the_packages_are_readable(tmp_path: Path) -> None:
    configuration = Path(__file__).parents[3] / "conf" / "semantik.toml"
    module = Path(landlock.__file__)
    assert _in_worker(tmp_path, _read_errors, str(configuration), str(module)) == ["EACCES", ""]


def _read_errors(*paths: str) -> list[str]:
    return [_error(Path(path).read_bytes) for path in paths]
