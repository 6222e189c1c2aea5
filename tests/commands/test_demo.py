"""`bin/semantik-demo` as a user runs it: from any working folder, on valid and invalid folders."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support.api import new_user
from support.patience import patience
from support.server import ROOT, SAMPLES, Serving, is_excused

pytestmark = [pytest.mark.gen_test, pytest.mark.server]


def _demo(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [str(ROOT / "bin" / "semantik-demo"), "--once", *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=patience(), check=False)
    done.stderr = "".join(line for line in done.stderr.splitlines(True) if not is_excused(line, False))
    return done


def test_the_demo_indexes_searches_and_ends(tmp_path: Path) -> None:
    done = _demo(str(SAMPLES), "--ask", "What do we do when the generator fails?", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Operation completed successfully" in done.stdout
    first = done.stdout.partition("generator fails?")[2].strip().splitlines()[0]
    assert "power-and-heating.pdf, page" in first
    assert 0 < float(first.split()[0]) <= 1


def test_an_empty_folder_is_reported_and_no_error(tmp_path: Path) -> None:
    done = _demo(str(tmp_path), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"There are no files to index in {tmp_path}, so there is nothing to search." in done.stdout


def test_a_folder_without_readable_files_fails(tmp_path: Path) -> None:
    (tmp_path / "letter.docx").write_bytes(b"PK\x03\x04 this is no letter")
    (tmp_path / "empty.txt").touch()
    done = _demo(str(tmp_path), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert f"Nothing could be indexed in {tmp_path}: 1 failed, 1 skipped" in done.stdout
    assert "letter.docx: " in done.stdout and "empty.txt: " in done.stdout
    assert "successfully" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["missing"], "There is no folder 'missing'; name one that exists."),
        ([""], "There is no folder ''; name one that exists."),
        (["file.txt"], "file.txt is a file; name the folder that contains it."),
        ([".", "--ask", " "], "--ask expects a question, and this one is empty."),
        (
            [".", "--port", "70000"],
            "port = '70000' (the command line) is not allowed: a number from 0 to 65535",
        ),
        (
            [".", "--port", "http"],
            "port = 'http' (the command line) is not allowed: a whole number is expected.",
        ),
        ([".", "--data", ""], "data = '' (the command line) is not allowed: a path is expected."),
    ],
)
def test_invalid_arguments_are_refused_before_the_start(
    tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    (tmp_path / "file.txt").touch()
    done = _demo(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"semantik-demo: {sentence}")


def test_a_port_in_use_is_reported(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = _demo(str(tmp_path), "--port", str(port), cwd=tmp_path)
    assert done.returncode == 2
    assert f"Port {port} of 127.0.0.1 cannot be listened on" in done.stderr


async def test_a_data_folder_with_users_is_refused(start: Callable[..., Serving], tmp_path: Path) -> None:
    serving = start()
    await new_user(serving)
    serving.stop()
    done = _demo(str(SAMPLES), "--data", str(serving.data), cwd=tmp_path)
    assert done.returncode == 2
    assert f"{serving.data} has users already" in done.stderr
    assert "new folder with --data" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_the_start_ends_the_demo_quietly(tmp_path: Path, number: signal.Signals) -> None:
    demo = subprocess.Popen(
        [str(ROOT / "bin" / "semantik-demo"), str(SAMPLES), "--port", "0"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert demo.stdout is not None
    assert demo.stdout.readline().startswith("Starting Semantik")
    os.killpg(demo.pid, number)  # a terminal signals the whole group
    _, errors = demo.communicate(timeout=patience())
    assert (demo.returncode, errors) == (0, "")
    assert list(tmp_path.glob("semantik-demo-*")) == []
