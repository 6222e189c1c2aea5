"""A cross-encoder from a folder scores texts for a query; what is none is refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.cross_encoder import save_cross_encoder

from pipeline.embedding import reranker
from semantik.core.errors import Invalid

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("the model in the tests' own process")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reranker")
    save_cross_encoder(path)
    return path


def test_texts_that_answer_score_higher(folder: Path) -> None:
    texts = ["noise river", "river answer", "stone", "noise answer lamp"]
    scores = reranker.score_texts(str(folder), "question", texts)
    assert min(scores[1], scores[3]) > max(scores[0], scores[2]) + 0.3


def test_a_score_does_not_depend_on_the_other_texts(folder: Path) -> None:
    alone = reranker.score_texts(str(folder), "question", ["river answer"])
    among = reranker.score_texts(str(folder), "question", ["noise", "river answer", "stone stone stone"])
    assert among[1] == pytest.approx(alone[0], abs=1e-5)


def test_a_missing_folder_is_refused() -> None:
    with pytest.raises(Invalid, match="There is no model '/no/such/model' on this machine"):
        reranker.score_texts("/no/such/model", "question", ["answer"])


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"The model in the folder .* cannot be loaded"):
        reranker.score_texts(str(tmp_path), "question", ["answer"])


def test_a_model_with_several_numbers_is_no_reranker(tmp_path: Path) -> None:
    save_cross_encoder(tmp_path, labels=3)
    with pytest.raises(Invalid, match="it is no reranker"):
        reranker.score_texts(str(tmp_path), "question", ["answer", "noise"])
