"""Manifests with a valid checksum and unusable content: the index is rebuilt from nothing."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_damage import one_segment, three_segments
from test_segments import SETTINGS, check
from test_vector_index import DIMENSION, merged, open_index, until

from semantik.index import recovery
from semantik.index.files.durable import Damaged
from semantik.index.segments import manifest
from semantik.index.segments.manifest import Manifest


def _second(original: Manifest, **changes: Any) -> Manifest:
    first, second, *rest = original.segments
    return dataclasses.replace(original, segments=(first, dataclasses.replace(second, **changes), *rest))


INCONSISTENT: dict[str, Callable[[Manifest], Manifest]] = {
    "overlapping": lambda m: _second(m, first=100),
    "backwards": lambda m: _second(m, first=201, last=101),
    "negative": lambda m: dataclasses.replace(m, segments=(dataclasses.replace(m.segments[0], first=-1),)),
    "empty": lambda m: _second(m, rows=0),
    "more rows than seqs": lambda m: _second(m, rows=102),
    "not a number": lambda m: _second(m, rows="many"),
    "elsewhere": lambda m: _second(m, name="../../elsewhere"),
    "tombstones elsewhere": lambda m: dataclasses.replace(m, tombstones="../tombstones-01234567"),
    "beyond the last seq": lambda m: dataclasses.replace(m, last_seq=150),
    "an unknown engine": lambda m: _second(m, engine="abacus"),
    "an effort of no engine": lambda m: _second(m, effort=100),
    "another dimension": lambda m: dataclasses.replace(m, dimension=-DIMENSION),
}


@pytest.mark.noisy
@pytest.mark.parametrize("kind", INCONSISTENT)
def test_an_inconsistent_manifest_is_discarded(
    tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        home = await three_segments(tmp_path)
        saved = manifest.load(home)
        assert saved is not None
        manifest.save(home, INCONSISTENT[kind](saved))
        async with open_index(tmp_path, SETTINGS) as index:
            assert index.last_seq == -1 and len(caplog.records) == 1
            await check(index, set())

    asyncio.run(test())


@pytest.mark.noisy
def test_a_manifest_of_a_newer_version_is_discarded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        with monkeypatch.context() as newer:
            newer.setattr(manifest, "_VERSION", manifest._VERSION + 1)
            home = await three_segments(tmp_path)
        assert recovery.load(home, DIMENSION).last_seq == -1
        assert len(caplog.records) == 1 and "another version" in caplog.text

    asyncio.run(test())


def test_a_manifest_without_an_engine_means_annoy(tmp_path: Path) -> None:
    """Its segments are searched with Annoy until a merge replaces it by the engine of the settings."""

    async def test() -> None:
        forest = await one_segment(tmp_path)
        path = tmp_path / "c" / "0" / "manifest.json"
        body = json.loads(path.read_text())["index"] | {"version": 2}
        (record,) = body["segments"]
        assert record.pop("engine") == "annoy"
        for old, new in (
            ("search_k", "effort"),
            ("forest_bytes", "engine_bytes"),
            ("forest_crc", "engine_crc"),
        ):
            record[old] = record.pop(new)
        path.write_text(json.dumps({"checksum": manifest._checksum(body), "index": body}))
        async with open_index(tmp_path, SETTINGS) as index:
            await until(lambda: merged(index, SETTINGS))
            assert forest.exists() and index.stats().engine == "annoy"
            await check(index, set())
        codes = dataclasses.replace(SETTINGS, engine="codes")
        async with open_index(tmp_path, codes) as index:
            await until(lambda: merged(index, codes))
            assert not forest.exists() and index.stats().engine == "codes"
            await check(index, set())

    asyncio.run(test())


def test_a_deeply_nested_manifest_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("[" * 100_000)
    with pytest.raises(Damaged, match=r"manifest\.json is not what was written"):
        manifest.load(tmp_path)
