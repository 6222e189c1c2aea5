"""What the tests share: servers of their own, folders of real documents, and no unexpected noise."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from support import light_model, traced_model_cache
from support.browser import chromium
from support.mongo_commands import listen
from support.patience import TEST_S, deadline, patience
from support.pools import end_fork_servers, share_fork_servers
from support.redis_server import Lines, RedisServer, given_redis
from support.server import Serving, complaints, is_excused, serve

from pipeline.workers.functions import WorkerFunctions

_POOLS = {"fork_server", "light_fork_server"}


def pytest_configure(config: pytest.Config) -> None:
    listen()
    config.addinivalue_line(
        "markers", "real_model: its servers have the real model, workers and password hashes"
    )
    config.addinivalue_line("markers", "server: it starts a server or a browser")
    config.addinivalue_line(
        "markers", "model: it loads the real model, or starts workers for it, without a server"
    )
    config.addinivalue_line("markers", "noisy: this test expects warnings in the log")
    config.addinivalue_line("markers", "embedded: this test does something to the server's embedded stores")
    config.addinivalue_line("markers", "crowded: so many do something at once that the loop may be held")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """A file's bytes are no id: they are long, and differ between workers where a time or a salt is in them."""
    return argname if isinstance(val, bytes) or (isinstance(val, str) and len(val) > 200) else None


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what starts a server, and have those in one worker of pytest-xdist that share what takes long to start.

    In `pytest_collection_modifyitems` it would be too late: a worker of pytest-xdist reads the groups there, first.
    """
    used = set(getattr(item, "fixturenames", ()))
    if used & {"start", "shared", "browser"}:
        item.add_marker(pytest.mark.server)
    if used & _POOLS or item.get_closest_marker("real_model"):
        item.add_marker(pytest.mark.model)
    if "shared" in used and item.get_closest_marker("real_model"):
        item.add_marker(pytest.mark.xdist_group("the real server"))
    elif used & {"browser", *_POOLS}:
        item.add_marker(pytest.mark.xdist_group(str(item.path)))


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
        loud = [line for line in loud if not is_excused(line, crowded)]
        assert not loud, f"unexpected warnings in the log: {loud}"


@pytest.fixture(autouse=True, scope="session")
def shared_traced_models(tmp_path_factory: pytest.TempPathFactory) -> None:
    """All workers of pytest-xdist share one folder of traced models, in the parent of their own base folders."""
    own = tmp_path_factory.getbasetemp()
    parent = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    traced_model_cache.use(parent / "traced_models")


@pytest.fixture
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Serving]]:
    """Start servers on `tmp_path / "data"`; they are ended with the test, and must have nothing to complain of."""
    started: list[Serving] = []
    real = request.node.get_closest_marker("real_model") is not None

    def begin(*flags: str, env: Mapping[str, str | None] | None = None) -> Serving:
        started.append(serve(tmp_path / "data", *flags, env=env, real=real))
        return started[-1]

    yield begin
    for serving in started:
        if serving.process.poll() is None:
            serving.stop()
    if request.node.get_closest_marker("noisy") is None:
        crowded = request.node.get_closest_marker("crowded") is not None
        assert not [line for serving in started for line in complaints(serving, crowded)]


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
    flags = ("--auth-registration", "open", "--sockets-per-user", "60", "--trusted-proxies", "127.0.0.1")
    flags += ("--rate-limits-sign-in-per-s", "0", "--sign-in-free-per-address", "100000")
    serving = serve(tmp_path_factory.mktemp("shared") / "data", *flags, real=real)
    yield serving
    if serving.process.poll() is None:
        assert serving.stop() == 0
    assert not complaints(serving)


def run(test: Awaitable[None]) -> None:
    """Run an async test to its end, or to its deadline."""

    async def bounded() -> None:
        async with deadline(TEST_S):
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
    share_fork_servers(tmp_path_factory.mktemp("pool") / "data", WorkerFunctions())
    yield
    end_fork_servers()


@pytest.fixture(scope="module")
def light_fork_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """As `fork_server`, with the light model in the workers."""
    share_fork_servers(tmp_path_factory.mktemp("pool") / "data", light_model.FUNCTIONS)
    yield
    end_fork_servers()
