"""Judges how well a document was read and split. Pure; runs in the worker processes."""

from __future__ import annotations

from typing import Any

from pipeline.extraction.chunker import Split
from pipeline.extraction.extract import Extracted
from semantik.core.models.quality import Quality
from semantik.core.normalization import normalized

MAX_WARNINGS = 20
_MAX_WARNING_CHARS = 300
_SAMPLES = (
    8  # places of a text whose words are counted: all words would cost a tenth of the time to embed them
)
_SAMPLE_CHARS = 200
_UNKNOWN_FROM = 0.1  # of the words; with more of them unknown to the model the user is warned
_LEFT_OUT_FROM = 0.5  # of the text
_UNKNOWN_TOKENS = ("[UNK]", "<unk>", "<UNK>", "\u2047")


def document_quality(extracted: Extracted, split: Split, tokenizer: Any) -> Quality:
    """The quality of a document; `tokenizer` is the `tokenizers.Tokenizer` of its model."""
    characters = len(extracted.text)
    unknown = round(_unknown_share(extracted.text, tokenizer), 3)
    warnings = list(extracted.warnings)
    if unknown >= _UNKNOWN_FROM:
        warnings.append(
            f"The model cannot read {unknown:.0%} of the words, so they are hardly found by meaning: "
            "it was made for other languages."
        )
    if split.left_out > characters * _LEFT_OUT_FROM:
        warnings.append(
            f"{split.left_out:,} of {characters:,} characters are no language (encoded data, machine-made code); "
            "they are not searched."
        )
    without_text = len(extracted.pages_without_text)
    if pages := without_text - len(extracted.unrecognised):  # of those there is a warning already
        warnings.append(f"{pages} {'page has' if pages == 1 else 'pages have'} no text that can be read.")
    if len(warnings) > MAX_WARNINGS:
        more = len(warnings) - MAX_WARNINGS + 1
        warnings = [*warnings[: MAX_WARNINGS - 1], f"There are {more} more warnings."]
    return Quality(
        characters,
        unknown,
        split.left_out,
        without_text,
        len(extracted.recognised),
        warnings=tuple(_bounded(warning) for warning in warnings),
    )


def _unknown_share(text: str, tokenizer: Any) -> float:
    """Of the words in samples from all over the text, those with a token for "unknown", 0 to 1."""
    if text.isascii():  # every tokenizer knows these letters
        return 0.0
    ids = {tokenizer.token_to_id(token) for token in _UNKNOWN_TOKENS} - {None}
    if not ids:
        return 0.0
    words = unknown = 0
    for encoding in tokenizer.encode_batch(_samples(text), add_special_tokens=False):
        ours = dict(zip(encoding.word_ids, (token in ids for token in encoding.ids), strict=True))
        words += len(ours)
        unknown += sum(ours.values())
    return unknown / words if words else 0.0


def _samples(text: str) -> list[str]:
    step = max(_SAMPLE_CHARS, len(text) // _SAMPLES)
    return [normalized(text[at : at + _SAMPLE_CHARS]) for at in range(0, len(text), step)]


def _bounded(warning: str) -> str:
    return warning if len(warning) <= _MAX_WARNING_CHARS else warning[: _MAX_WARNING_CHARS - 1] + "…"
