"""What the tests share: servers of their own, folders of real documents, and no unexpected noise."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import select
import signal
import subprocess
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import psutil
import pytest
from playwright.sync_api import Browser
from support import shared_recordings
from support.browser import chromium
from support.forked_servers import ForkedServer, Launcher
from support.patience import TEST_S, deadline, patience
from support.pools import end_fork_servers, share_fork_servers
from support.processes import still_running
from support.redis_server import Lines, RedisServer, given_redis

from semantik.client.api import Client
from semantik.client.websocket import Refused
from semantik.config.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "docs" / "samples"
PASSWORD = "a good password"

# Sockets close soon after an operation's end, which most tests wait for.
_USUAL = ("--port", "0", "--progress-linger-s", "0.2")
_launcher = Launcher()
_READY = "Semantik is ready: "
_HELD_MS = 250


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "real_model: its servers have the real model, workers and password hashes"
    )
    config.addinivalue_line("markers", "server: it starts a server or a browser")
    config.addinivalue_line("markers", "noisy: this test expects warnings in the log")
    config.addinivalue_line("markers", "embedded: this test does something to the server's embedded stores")
    config.addinivalue_line("markers", "crowded: so many do something at once that the loop may be held")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        used = set(getattr(item, "fixturenames", ()))
        if used & {"start", "shared", "browser"}:
            item.add_marker(pytest.mark.server)
        if "shared" in used and item.get_closest_marker("real_model"):
            item.add_marker(pytest.mark.xdist_group("the real server"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("embedded") and (given_redis() or os.environ.get("SEMANTIK_TEST_MONGO_URL")):
        pytest.skip("the servers of this run have no embedded stores")
    item.config.option.async_test_timeout = patience(TEST_S)


@pytest.fixture(autouse=True)
def quiet(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A warning that nobody expected fails the test that made it."""
    yield
    if request.node.get_closest_marker("noisy") is None:
        loud = [r.getMessage() for r in caplog.get_records("call") if r.levelno >= logging.WARNING]
        crowded = request.node.get_closest_marker("crowded") is not None
        loud = [line for line in loud if not _excused(line, crowded)]
        assert not loud, f"unexpected warnings in the log: {loud}"


@pytest.fixture(autouse=True, scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """All workers of pytest-xdist have one folder of recorded models; their own are below one that is the run's."""
    own = tmp_path_factory.getbasetemp()
    shared_recordings.keep_in((own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "recordings")


@dataclass(frozen=True)
class Stores:
    mongo_url: str
    database: str
    redis_url: str


@dataclass
class Serving:
    """`bin/semantik-server` as a process of its own, as a user would start it."""

    process: subprocess.Popen[str] | ForkedServer
    url: str
    data: Path
    log: Path

    @property
    def stores(self) -> Stores:
        """Where another process finds the server's stores."""
        given = _given_stores(self.data)
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
        shared_recordings.take(self.data)
        return status


def serve(data: Path, *flags: str, env: dict[str, str] | None = None, real: bool = False) -> Serving:
    """Start a server on `data` and wait until it says that it is ready; without a model unless it is to be `real`."""
    data.mkdir(parents=True, exist_ok=True)
    if real:
        shared_recordings.lend(data)
    log = data.parent / f"{data.name}.log"
    with log.open("a") as errors:
        argv = (*_USUAL, "--data", str(data), *flags)
        env = {**os.environ, **_given_stores(data), **(env or {})}
        process = _started(argv, env, errors) if real else _launcher.launch(argv, env, errors)
    assert process.stdout is not None
    said, _, _ = select.select([process.stdout], [], [], patience())
    line = process.stdout.readline() if said else ""
    assert line.startswith(_READY), f"the server did not start: {log.read_text()}"
    return Serving(process, line.removeprefix(_READY).strip(), data, log)


def _started(argv: Sequence[str], env: dict[str, str], errors: IO[str]) -> subprocess.Popen[str]:
    command = [str(ROOT / "bin" / "semantik-server"), *argv]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=env)


def _given_stores(data: Path) -> dict[str, str]:
    """Settings for the real stores that tests can be run against: each server has a database of its own in MongoDB."""
    found = {}
    if redis := given_redis():
        found["SEMANTIK_REDIS_URL"] = redis
    if mongo := os.environ.get("SEMANTIK_TEST_MONGO_URL"):
        found["SEMANTIK_MONGO_URL"] = mongo
        found["SEMANTIK_MONGO_DATABASE"] = f"test-{abs(hash(str(data)))}"
    return found


@pytest.fixture
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Serving]]:
    """Start servers on `tmp_path / "data"`; they are ended with the test, and must have nothing to complain of."""
    started: list[Serving] = []
    real = request.node.get_closest_marker("real_model") is not None

    def begin(*flags: str, env: dict[str, str] | None = None) -> Serving:
        started.append(serve(tmp_path / "data", *flags, env=env, real=real))
        return started[-1]

    yield begin
    for serving in started:
        if serving.process.poll() is None:
            serving.stop()
    if request.node.get_closest_marker("noisy") is None:
        crowded = request.node.get_closest_marker("crowded") is not None
        assert not [line for serving in started for line in complaints(serving, crowded)]


def complaints(serving: Serving, crowded: bool = False) -> list[str]:
    """What a person who reads the server's log would stumble over."""
    loud = (" WARNING ", " ERROR ", " CRITICAL ", "Traceback")
    lines = [line for line in serving.log.read_text().splitlines() if any(word in line for word in loud)]
    return [line for line in lines if not _excused(line, crowded)]


def _excused(line: str, crowded: bool) -> bool:
    """Whether it tells of a loop that was held for a moment: on a machine that others use too, nobody is to blame."""
    held = re.search(r"The loop was held for (\d+) ms", line)
    return held is not None and (crowded or int(held[1]) < patience(_HELD_MS))


@pytest.fixture(scope="module")
def shared(request: pytest.FixtureRequest) -> Serving:
    """One server for all tests that leave it as they found it; registration is open, so each takes a new user."""
    real = request.node.get_closest_marker("real_model") is not None
    serving: Serving = request.getfixturevalue("real_shared" if real else "light_shared")
    return serving


@pytest.fixture(scope="session")
def light_shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with _serving_all(tmp_path_factory, real=False) as serving:
        yield serving


@pytest.fixture(scope="session")
def real_shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with _serving_all(tmp_path_factory, real=True) as serving:
        yield serving


@contextmanager
def _serving_all(tmp_path_factory: pytest.TempPathFactory, real: bool) -> Iterator[Serving]:
    flags = ("--auth-registration", "open", "--sockets-per-user", "60")
    serving = serve(tmp_path_factory.mktemp("shared") / "data", *flags, real=real)
    yield serving
    if serving.process.poll() is None:
        assert serving.stop() == 0
    assert not complaints(serving)


_users = iter(range(1_000_000))


async def new_user(serving: Serving) -> Client:
    """A client that is signed in as somebody new."""
    client = Client(serving.url)
    name = f"user-{os.getpid()}-{next(_users)}@example.com"
    await client.register(name, PASSWORD)
    await client.sign_in(name, PASSWORD)
    return client


async def index(client: Client, folder: Path, name: str = "Documents") -> tuple[str, list[dict[str, Any]]]:
    """Make a collection of a folder; returns its id and all frames of its INDEX operation."""
    made = await client.call("POST", "collections", {"name": name, "source_path": str(folder)})
    frames = [frame async for frame in client.watch(made["operation_id"])]
    return made["id"], frames


async def ask(client: Client, query: str, **more: Any) -> list[dict[str, Any]]:
    answer = await client.call("POST", "search", {"query": query, **more})
    hits: list[dict[str, Any]] = answer["hits"]
    return hits


async def refusal_of(client: Client, method: str, path: str, body: Any = None, **query: Any) -> Refused:
    with pytest.raises(Refused) as refused:
        await client.call(method, path, body, **query)
    return refused.value


async def documents(client: Client, collection_id: str) -> dict[str, dict[str, Any]]:
    """Every document of a collection by its file name."""
    page = await client.call("GET", f"collections/{collection_id}/documents", limit=500)
    return {item["name"]: item for item in page["items"]}


def run(test: Awaitable[None], timeout_s: float = TEST_S) -> None:
    """Run an async test to its end, or to its deadline."""

    async def bounded() -> None:
        async with deadline(timeout_s):
            await test

    asyncio.run(bounded())


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[Lines]:
    caplog.set_level(logging.INFO, "semantik.progress")
    handler = Lines()
    logging.getLogger("semantik.progress").addHandler(handler)
    yield handler
    logging.getLogger("semantik.progress").removeHandler(handler)


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if given := given_redis():
        yield given
        return
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server.url
    server.kill()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Ended with the module, because the next one's loop cannot run beside Playwright's."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def fork_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """For modules whose own process has pools: their fork servers end with the module."""
    share_fork_servers(tmp_path_factory.mktemp("pool") / "data")
    yield
    end_fork_servers()
