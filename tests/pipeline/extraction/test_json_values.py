"""JSON of messengers, notes and drawings: whole sentences, letters in their encoding, nothing twice."""

from __future__ import annotations

import json
from typing import Any

from pipeline.extraction.formats import detect
from pipeline.extraction.readers.json_text import JsonReader


def _text(value: Any) -> str:
    data = json.dumps(value).encode()
    return JsonReader().read(data, detect(data, ".json")).text


def test_utf_8_that_was_escaped_byte_by_byte_is_repaired() -> None:
    message = {"sender": "Zoë", "content": "Café am Hafen, 5 € 🌉", "at": 3}
    wrong = json.loads(json.dumps(message, ensure_ascii=False).encode().decode("latin-1"))
    assert _text(wrong) == _text(message) == "sender: Zoë\ncontent: Café am Hafen, 5 € 🌉\nat: 3"
    assert _text({"a": "Ã¼", "b": "é"}) == "a: Ã¼\nb: é"  # not all of it can be UTF-8
    assert _text({"a": "Ã¼", "b": "“"}) == "a: Ã¼\nb: “"


def test_pieces_of_a_sentence_are_one_text() -> None:
    bold = {"type": "bold", "text": "Bob"}
    assert _text({"text": ["Ask ", bold, " today"]}) == "text: Ask Bob today"
    pieces = [
        {"type": "text", "text": "Ask "},
        {"type": "user", "user_id": "U1"},
        {"type": "text", "text": " now"},
    ]
    assert _text({"elements": pieces}) == "elements: Ask U1 now"
    broken = [{"type": "text", "text": "The "}, {"type": "text", "text": "crane"}, {"type": "hardBreak"}]
    assert _text({"content": [*broken, {"type": "text", "text": "moves"}]}) == "content: The crane\n  moves"
    whole = {"text": "Ask Bob", "text_entities": [{"type": "plain", "text": "Ask Bob"}]}
    assert _text(whole) == "text: Ask Bob"


def test_lists_of_things_stay_lists() -> None:
    questions = [{"type": "question", "text": "How?"}, {"type": "question", "text": "Where?"}]
    assert _text(questions) == "type: question\ntext: How?\n\ntype: question\ntext: Where?"
    cards = [{"type": "text", "text": " One ", "id": "1", "x": 1, "y": 2}] * 2
    assert _text(cards).count("One") == 2
    assert _text([{"type": "question", "text": "How?", "answers": ["a", "b"]}]).endswith("answers: a, b")


def test_values_that_are_html_read_as_they_are_shown() -> None:
    assert _text({"note": "<p>A <b>no</b>te &amp; more</p>"}) == "note: A note & more"
    assert _text({"note": "<id> of <b>x</b>", "type": "List<p>"}) == "note: <id> of <b>x</b>\ntype: List<p>"


def test_many_comments_take_no_time() -> None:
    comments = "<!-- -->" * 20_000
    assert _text({"a": f"{comments}<p>x</p>"}) == "a: x"
    assert _text({"a": f"{comments}</p>"}) == f"a: {comments}</p>"


def test_the_same_text_under_a_like_key_stands_once() -> None:
    note = {"textContent": "One\ntwo", "title": "One", "textContentHtml": "<p>One</p><p>two</p>"}
    assert _text(note) == "textContent: One\n  two\ntitle: One"
    assert _text({"from": "Ana", "to": "Ana"}) == "from: Ana\nto: Ana"


def test_drawings_of_excalidraw_read_their_texts() -> None:
    drawing = {
        "type": "excalidraw",
        "version": 2,
        "elements": [
            {"type": "rectangle", "seed": 123, "strokeColor": "#1e1e1e"},
            {"type": "text", "text": "Crane\nservice", "originalText": "Crane service"},
            {"type": "text", "text": "gone", "isDeleted": True},
        ],
    }
    assert _text(drawing) == "elements:\n\n  type: text\n  text: Crane\n    service"


def test_json_is_known_by_its_beginning() -> None:
    assert detect(b'{\n\t"nodes": [\n', ".canvas").mime == "application/json"
    assert detect(b'[ {"a\\"b" : 1}]', "").mime == "application/json"
    for text in (b'{"a", "b"} are sets', b"{name}: text", b"[1] A note", b'[{name}, "x"]'):
        assert detect(text, ".txt").mime == "text/plain"
