"""Which folders of models workers may read: any text may be a model's name, since users choose it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.isolation import readable_paths


@pytest.mark.parametrize("name", ["", "x" * 300, "a\0b", "no/such/folder"])
def test_a_name_that_is_no_folder_opens_none(name: str, tmp_path: Path) -> None:
    environment = {"HF_HOME": str(tmp_path)}
    assert readable_paths.of_models([name], environment) == (str(tmp_path / "hub"),)


def test_the_folder_of_a_model_can_be_read(tmp_path: Path) -> None:
    environment = {"HF_HOME": str(tmp_path)}
    assert readable_paths.of_models([str(tmp_path)], environment) == (str(tmp_path / "hub"), str(tmp_path))
