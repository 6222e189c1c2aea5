"""JSON: lines that a person reads, and files that are hardly JSON."""

from __future__ import annotations

import json

from pipeline.extraction.content import Content
from pipeline.extraction.formats import detect
from pipeline.extraction.readers.json_text import JsonReader


def _read(text: str, suffix: str = ".json") -> Content:
    data = text.encode()
    return JsonReader().read(data, detect(data, suffix))


def test_escapes_are_resolved() -> None:
    value = {"von": "Zoë", "text": 'Zeile "eins"\nÜber die Brücke / мост \U0001f309', "tags": ["süß", "桥"]}
    expected = 'von: Zoë\ntext: Zeile "eins"\n  Über die Brücke / мост \U0001f309\ntags: süß, 桥'
    assert _read(json.dumps(value)).text == _read(json.dumps(value, ensure_ascii=False)).text == expected


def test_a_short_list_stands_under_its_key() -> None:
    value = {"pier": {"boats": ["Mara", "Ole"], "depth": 3, "buoys": [[1, 2], ["x", "y"]]}}
    assert _read(json.dumps(value)).text == (
        "pier:\n  boats: Mara, Ole\n  depth: 3\n  buoys:\n    1, 2\n    x, y"
    )


def test_objects_of_a_list_are_paragraphs() -> None:
    value = {
        "title": "Ferry log",
        "entries": [
            {"who": "Mara", "seats": 3, "paid": True, "note": None},
            {"who": "Ole", "at": {"pier": "B"}},
        ],
    }
    content = _read(json.dumps(value))
    assert content.title == "Ferry log"
    assert content.text == (
        "title: Ferry log\nentries:\n\n  who: Mara\n  seats: 3\n  paid: true\n\n  who: Ole\n  at:\n    pier: B"
    )


def test_json_lines_and_concatenated_values() -> None:
    lines = '{"a": "pier"}\n\n{"a": "qu\\u00e9"}\n[["x", "y"]]\n'
    expected = "a: pier\n\na: qué\n\nx, y"
    assert _read(lines, ".jsonl").text == _read(lines, ".ndjson").text == _read(lines).text == expected


def test_comments_and_trailing_commas_are_tolerated() -> None:
    text = '// settings\n{"url": "http://pier.example/a", /* old */ "names": ["caf\\u00e9",],}'
    assert _read(text, ".jsonc").text == "url: http://pier.example/a\nnames: café"


def test_what_cannot_be_parsed_stays_as_it_is_without_escapes() -> None:
    assert (
        _read("{unquoted: 'caf\\u00e9 \\ud83c\\udf09', broken", ".json5").text
        == "{unquoted: 'café \U0001f309', broken"
    )
    assert _read("12 apples and 3 pears").text == "12 apples and 3 pears"


def test_numbers_alone_are_kept_short() -> None:
    ring = [[[8.5 + n / 1000, 47.1] for n in range(2000)]]
    feature = {
        "type": "Feature",
        "properties": {"name": "Lake"},
        "geometry": {"type": "Polygon", "coordinates": ring},
    }
    text = _read(json.dumps({"type": "FeatureCollection", "features": [feature]}), ".geojson").text
    assert "name: Lake" in text and "coordinates: 4000 numbers" in text and len(text) < 300
    assert _read(json.dumps({"levels": list(range(500))})).text == "levels: 500 numbers from 0 to 499"
    assert _read('{"at": [8.5, 47.1]}').text == "at: 8.5, 47.1"


def test_pictures_in_strings_are_left_out() -> None:
    value = {
        "name": "pier",
        "icon": "data:image/png;base64," + "QUJD" * 200,
        "blob": "QUJDRA" * 100,
        "word": "anchor",
    }
    assert _read(json.dumps(value)).text == "name: pier\nword: anchor"


def test_deep_and_large_files_are_bounded() -> None:
    assert _read("[" * 200_000).text
    assert isinstance(_read('{"a":' * 400 + '"deep"' + "}" * 400).text, str)
    assert _read("1e999999").text and _read('"just a text"').text == "just a text"
    assert len(_read(json.dumps([{"n": n} for n in range(50_000)])).text) > 400_000
