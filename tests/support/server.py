"""Servers as processes of their own: started, stopped, and what their logs complain of."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psutil
from support import traced_model_cache
from support.forked import Forked, launcher
from support.patience import patience
from support.processes import still_running
from support.redis_server import given_redis

from semantik.config.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "docs" / "samples"

# Sockets close soon after an operation's end, which most tests wait for.
_USUAL = ("--port", "0", "--progress-linger-s", "0.2")
_READY = "Semantik is ready: "
SETUP_CODE = "EVERY-TEST-SERVER-HAS-THIS"
_HELD_MS = 250
_BUSY = 3.0  # as many processes for each processor


@dataclass(frozen=True)
class Stores:
    mongo_url: str
    database: str
    redis_url: str


@dataclass
class Serving:
    """`bin/semantik-server` as a process of its own, as a user would start it."""

    process: subprocess.Popen[str] | Forked
    url: str
    data: Path
    log: Path

    @property
    def stores(self) -> Stores:
        """Where another process finds the server's stores."""
        given = given_stores(self.data)
        run = self.data / "run"
        return Stores(
            given.get("SEMANTIK_MONGO_URL") or f"mongodb://{quote(str(run / 'mongo.sock'), safe='')}",
            given.get("SEMANTIK_MONGO_DATABASE") or Settings().mongo_database,
            given.get("SEMANTIK_REDIS_URL") or f"unix://{quote(str(run / 'redis.sock'))}",
        )

    @property
    def tree(self) -> list[psutil.Process]:
        me = psutil.Process(self.process.pid)
        return [me, *me.children(recursive=True)]

    def kill(self) -> None:
        """SIGKILL the server alone; its children must notice by themselves."""
        self.process.kill()
        self.process.wait(patience())

    def stop(self) -> int:
        """SIGTERM, as systemd does; returns the exit status once every child is gone too."""
        tree = self.tree
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(patience())
        alive = still_running(tree)
        assert not alive, f"left behind: {alive}"
        traced_model_cache.collect_from(self.data)
        return status


def serve(
    data: Path, *flags: str, env: Mapping[str, str | None] | None = None, real: bool = False
) -> Serving:
    """Start a server on `data` and wait until it says that it is ready; without a model unless it is to be `real`.

    None in `env` takes a setting of all tests away.
    """
    data.mkdir(parents=True, exist_ok=True)
    if real:
        traced_model_cache.link_into(data)
    log = data.parent / f"{data.name}.log"
    with log.open("a") as errors:
        argv = (*_USUAL, "--data", str(data), *flags)
        merged = {**os.environ, **given_settings(data), **(env or {})}
        given = {name: value for name, value in merged.items() if value is not None}
        process = _started(argv, given, errors) if real else launcher.serve(argv, given, errors)
    assert process.stdout is not None
    said, _, _ = select.select([process.stdout], [], [], patience())
    line = process.stdout.readline() if said else ""
    assert line.startswith(_READY), f"the server did not start: {log.read_text()}"
    return Serving(process, line.removeprefix(_READY).strip(), data, log)


def _started(argv: Sequence[str], env: dict[str, str], errors: IO[str]) -> subprocess.Popen[str]:
    command = [str(ROOT / "bin" / "semantik-server"), *argv]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=env)


def given_settings(data: Path) -> dict[str, str]:
    """Settings of every server of the tests: they know its setup code, and all folders may be indexed."""
    return {
        **given_stores(data),
        "SEMANTIK_AUTH_SETUP_CODE": SETUP_CODE,
        "SEMANTIK_DOCUMENTS_ROOTS": "/",
        "SEMANTIK_DOCUMENTS_OCR_PAGE_TIMEOUT_S": f"{patience():g}",
        "SEMANTIK_POOL_NICENESS": "0",  # servers of other tests at the same time would go before its workers
        "SEMANTIK_EMBEDDING_ALLOWED_MODELS": "/",
    }


def given_stores(data: Path) -> dict[str, str]:
    """Settings for the real stores that tests can be run against: each server has a database of its own in MongoDB."""
    found = {}
    if redis := given_redis():
        found["SEMANTIK_REDIS_URL"] = redis
    if mongo := os.environ.get("SEMANTIK_TEST_MONGO_URL"):
        found["SEMANTIK_MONGO_URL"] = mongo
        found["SEMANTIK_MONGO_DATABASE"] = f"test-{abs(hash(str(data)))}"
    return found


def complaints(serving: Serving, crowded: bool = False) -> list[str]:
    """What a person who reads the server's log would stumble over."""
    loud = (" WARNING ", " ERROR ", " CRITICAL ", "Traceback")
    lines = [line for line in serving.log.read_text().splitlines() if any(word in line for word in loud)]
    return [line for line in lines if not is_excused(line, crowded)]


def is_excused(line: str, crowded: bool) -> bool:
    """Whether it tells of a loop that was held for a moment: on a machine that others use too, nobody is to blame."""
    if line.startswith("Task was destroyed but it is pending!"):
        return True  # of a loop that an earlier test of this process has closed
    if re.search(r"(Not everything stopped|did not stop) within \d", line) and patience(1) >= _BUSY:
        return True  # these limits, in which systemd has a server end, do not stretch
    if crowded and "Redis is away: no answer within" in line:
        return True
    held = re.search(r"The loop was held for (\d+) ms", line)
    return held is not None and (crowded or int(held[1]) < patience(_HELD_MS))
