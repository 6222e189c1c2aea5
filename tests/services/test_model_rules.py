"""Models that users may name: by names, and by paths below the folders that an administrator allows."""

from __future__ import annotations

from pathlib import Path

import pytest

from semantik.config.settings import EmbeddingSettings
from semantik.core.errors import Invalid
from semantik.services.model_rules import check_model


def test_a_path_outside_the_allowed_folders_is_refused_whether_it_exists_or_not(tmp_path: Path) -> None:
    allowed = EmbeddingSettings(allowed_models=(str(tmp_path / "models"),))
    (tmp_path / "there").mkdir()
    sentences = set()
    for name in ("there", "missing", "models/../there", "models-2"):
        with pytest.raises(Invalid) as refused:
            check_model(f"{tmp_path}/{name}", allowed)
        sentences.add(str(refused.value).replace(name, ""))
    assert len(sentences) == 1
    for name in ("../model", "./model", "~/model", "a/b/c", "", "/etc", "\0"):
        with pytest.raises(Invalid, match=r"embedding\.allowed_models"):
            check_model(name, allowed)
    check_model(f"{tmp_path}/models/small", allowed)


def test_names_and_the_default_model_are_allowed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    default = EmbeddingSettings(model="/srv/models/own")
    for name in ("/srv/models/own", "multilingual", "sentence-transformers/all-MiniLM-L6-v2", "a_b.c"):
        check_model(name, default)
    (tmp_path / "etc" / "ssl").mkdir(parents=True)
    with pytest.raises(Invalid, match=r"embedding\.allowed_models"):
        check_model("etc/ssl", default)
