"""`semantik-worker` says in one sentence why it cannot work."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
from support.local_tls import Authority

from pipeline.remote.with_cluster import with_cluster
from semantik.commands.worker import main
from semantik.config.settings import PoolSettings, Settings
from semantik.core.errors import ConfigError


def _refusal(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert main(list(argv)) == 2
    said = capsys.readouterr().err
    assert said.startswith("semantik-worker: ") and said.count("\n") == 1
    return said


def test_what_is_missing_or_wrong_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "--pool-scheduler tls://host:port" in _refusal(capsys, "--data", str(tmp_path))
    assert "tls://host:port" in _refusal(capsys, "--pool-scheduler", "tcp://10.0.0.1:8786")
    scheduler = ("--data", str(tmp_path), "--pool-scheduler", "tls://127.0.0.1:9")
    assert "pool.tls_ca_file" in _refusal(capsys, *scheduler)
    authority = Authority(tmp_path)
    certificate, _ = map(str, authority.issue("worker"))
    files = ("--pool-tls-ca-file", str(authority.certificate), "--pool-tls-certificate-file", certificate)
    missing = str(tmp_path / "none.key")
    assert f"{missing!r} cannot be read" in _refusal(
        capsys, *scheduler, *files, "--pool-tls-key-file", missing
    )
    _, other = map(str, authority.issue("other"))
    assert "do not fit together" in _refusal(capsys, *scheduler, *files, "--pool-tls-key-file", other)


def test_without_the_extra_the_server_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("distributed", "pipeline.remote.pool"):
        monkeypatch.setitem(sys.modules, name, None)
    settings = Settings(pool=PoolSettings(scheduler="tls://127.0.0.1:9"))
    with pytest.raises(ConfigError, match=r"pip install .*\[dask\]"):
        with_cluster(lambda: settings, object())  # type: ignore[arg-type]
    assert isinstance(with_cluster(lambda: Settings(), object()), nullcontext)  # type: ignore[arg-type]
