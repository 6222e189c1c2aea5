"""SEMANTIK_TEST_REDIS_URL and SEMANTIK_TEST_MONGO_URL name the stores of a test run. No server is started here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

import pytest
from support.forked import Launcher
from support.server import Serving, Stores, serve

REDIS, MONGO = "redis://redis.example:6379", "mongodb://mongo.example:27017"


class FakeProcess:
    """A substitute for the process of a server."""

    def __init__(self) -> None:
        read, write = os.pipe()
        with os.fdopen(write, "w") as end:
            end.write("Semantik is ready: http://127.0.0.1:1\n")
        self.stdout = os.fdopen(read)


@pytest.fixture
def environments(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """The environments that servers are started with. The variables are not set yet."""
    for name in ("SEMANTIK_TEST_REDIS_URL", "SEMANTIK_TEST_MONGO_URL", "PYTEST_XDIST_WORKER"):
        monkeypatch.delenv(name, raising=False)
    environments: list[dict[str, str]] = []

    def record(launcher: Launcher, argv: list[str], env: dict[str, str], errors: IO[str]) -> FakeProcess:
        environments.append(env)
        return FakeProcess()

    monkeypatch.setattr(Launcher, "serve", record)
    return environments


def _store_variables(environment: dict[str, str]) -> dict[str, str]:
    names = ("SEMANTIK_REDIS_URL", "SEMANTIK_MONGO_URL", "SEMANTIK_MONGO_DATABASE")
    return {name: environment[name] for name in names if name in environment}


def test_without_the_variables_a_server_embeds_its_stores(
    environments: list[dict[str, str]], tmp_path: Path
) -> None:
    serving = serve(tmp_path / "data")
    assert _store_variables(environments[0]) == {}
    assert serving.stores.redis_url == f"unix://{tmp_path}/data/run/redis.sock"
    assert serving.stores.mongo_url.startswith("mongodb://%2F") and serving.stores.database == "semantik"


def test_servers_and_tests_use_the_named_stores(
    environments: list[dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMANTIK_TEST_REDIS_URL", REDIS)
    monkeypatch.setenv("SEMANTIK_TEST_MONGO_URL", MONGO)
    servers: list[Serving] = [serve(tmp_path / name) for name in ("one", "two", "one")]
    variables = [_store_variables(environment) for environment in environments]
    for serving, each in zip(servers, variables, strict=True):
        assert serving.stores == Stores(MONGO, each["SEMANTIK_MONGO_DATABASE"], REDIS)
        assert (each["SEMANTIK_REDIS_URL"], each["SEMANTIK_MONGO_URL"]) == (REDIS, MONGO)
    one, two, again = (each["SEMANTIK_MONGO_DATABASE"] for each in variables)
    assert one == again != two, "a restarted server has the same database, and another server another"


@pytest.mark.parametrize(
    ("given", "expected"), [(REDIS, f"{REDIS}?db=3"), (f"{REDIS}?a=b", f"{REDIS}?a=b&db=3")]
)
def test_each_xdist_worker_has_its_own_redis_database(
    environments: list[dict[str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    given: str,
    expected: str,
) -> None:
    monkeypatch.setenv("SEMANTIK_TEST_REDIS_URL", given)
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw3")
    assert serve(tmp_path / "data").stores.redis_url == expected == environments[0]["SEMANTIK_REDIS_URL"]


def test_the_redis_url_fixture_uses_the_named_redis(
    environments: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("SEMANTIK_TEST_REDIS_URL", REDIS)
    assert request.getfixturevalue("redis_url") == REDIS
    assert environments == [], "no server was started"
