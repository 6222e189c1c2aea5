"""The answers of worker processes: what they may hold, and what is refused."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import msgpack
import numpy as np
import pytest

from pipeline.compute.answers import BadAnswer, decode, encode, encode_error, result_type
from pipeline.compute.messages import (
    Outcome,
    PartList,
    ReadContainer,
    ReadDocument,
    ReadFailure,
    ReadUnchanged,
    TextChunk,
    TextChunks,
)
from pipeline.compute.page_messages import PageText
from pipeline.workers.file_reading import read_files
from semantik.core.errors import DiskFull, Invalid, Unavailable
from semantik.core.models import Quality
from semantik.index.segments.manifest import SegmentRecord

_CHUNKS = TextChunks.from_chunks(
    [
        TextChunk("The lighthouse", 0, 14, 1, None),
        TextChunk("stands \udc80", 15, 23, None, "On › it", True, "iii"),
    ]
)
_OUTCOMES: list[Outcome] = [
    ReadDocument(
        "1", "text/plain", None, "ab", 23, 2, _CHUNKS, Quality(23, 0.5, warnings=("One.",)), language="en"
    ),
    ReadContainer("2", "application/zip", None, "cd", 9, 10, PartList(("a",), (1,), ("d",), ("l",)), 1),
    ReadFailure("3", "too_large", "It is too large.", False, (1, 2)),
    ReadUnchanged("4"),
]


def _answered(result: Any, expected: Any) -> Any:
    succeeded, answer, model_bytes = decode(encode(result, 12), expected)
    assert (succeeded, model_bytes) == (True, 12)
    return answer


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (_OUTCOMES, list[Outcome]),
        (_CHUNKS, TextChunks),
        (PageText("text", 90.5, 90, lost=True), PageText),
        (SegmentRecord("1-2-a", 1, 2, 3, 4, 5, recall=0.96), SegmentRecord),
        ([("a", "b"), ("c", "d")], list[tuple[str, str]]),
        ([0.25, 1.0], list[float]),
        (None, str | None),
        ([1, "two", None, {"three": 3.0}], Any),
    ],
    ids=["outcomes", "chunks", "page", "segment", "tuples", "numbers", "nothing", "plain"],
)
def test_an_answer_is_what_the_function_has_returned(result: Any, expected: Any) -> None:
    answer = _answered(result, expected)
    assert answer == result
    assert type(answer) is type(result)


def test_vectors_keep_their_kind_and_can_be_changed() -> None:
    vectors = np.arange(6, dtype=np.float16).reshape(2, 3)
    answer = _answered(vectors.T, np.ndarray)
    answer[0, 0] = 7
    assert answer.dtype == np.float16
    assert answer.tolist() == [[7, 3], [1, 4], [2, 5]]


def test_the_type_is_that_of_the_annotation() -> None:
    assert result_type(read_files) == list[Outcome]
    assert result_type(len) is Any


@pytest.mark.parametrize("error", [Invalid("It is wrong."), Unavailable("Not now.", 7), DiskFull("MongoDB")])
def test_errors_of_the_domain_come_back_as_they_are(error: Exception) -> None:
    succeeded, answer, _ = decode(encode_error(error, 0), None)
    assert not succeeded
    assert type(answer) is type(error)
    assert (str(answer), vars(answer)) == (str(error), vars(error))


def test_other_errors_come_back_with_a_traceback() -> None:
    _, answer, _ = decode(encode_error(ValueError("no number"), 0), None)
    assert type(answer) is ValueError
    assert "ValueError: no number" in answer.__notes__[0]
    _, answer, _ = decode(encode_error(msgpack.OutOfData("nothing"), 0), None)
    assert (type(answer), str(answer)) == (RuntimeError, "OutOfData: nothing")


def _packed(value: Any) -> bytes:
    packed: bytes = msgpack.packb([0, 0, value])
    return packed


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (pickle.dumps((True, [], 0)), list[Outcome]),
        (b"", Any),
        (_packed([1, 2]), list[str]),
        (_packed([["ReadUnchanged", 1]]), list[Outcome]),
        (_packed([["ReadUnchanged", "1", "2"]]), list[Outcome]),
        (_packed([["FileTask", "1", "/etc/passwd", 0]]), list[Outcome]),
        (_packed(["ReadFailure", "1", "a category of its own", "m", False, [], None, None]), ReadFailure),
        (_packed(["|O", [1], bytes(8)]), np.ndarray),
        (_packed(["<f2", [1 << 40], bytes(8)]), np.ndarray),
        (_packed(["<f2", [-1, 4], bytes(8)]), np.ndarray),
        (_packed(msgpack.ExtType(5, b"x")), Any),
        (_packed("a text"), bool),
        (b"\x93\x00\x00" + b"\x91" * 2000 + b"\x90", Any),
        (b"\x93\x00\x00\xdd\xff\xff\xff\xff", Any),
        (_packed([[]] * 100_000)[:-1], Any),
    ],
)
def test_anything_else_is_refused(answer: bytes, expected: Any) -> None:
    with pytest.raises(BadAnswer):
        decode(answer, expected)


def test_many_small_values_are_refused_before_they_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.compute.answers.MAX_ITEMS", 1000)
    with pytest.raises(BadAnswer, match="1000 values"):
        decode(_packed([[[] for _ in range(100)] for _ in range(10)]), Any)


@pytest.mark.parametrize("name", ["SystemExit", "KeyboardInterrupt", "eval", "object", "UnicodeDecodeError"])
def test_a_worker_cannot_raise_what_ends_the_server(name: str) -> None:
    _, error, _ = decode(msgpack.packb([1, 0, [name, "message", {}, ""]]), None)
    assert type(error) is RuntimeError


@pytest.mark.parametrize("result", [{1, 2}, len])
def test_a_function_cannot_return_what_has_no_place(result: Callable[..., Any]) -> None:
    with pytest.raises((TypeError, BadAnswer)):
        _answered(result, Any)
