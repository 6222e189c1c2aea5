"""What the quality benchmark generates from a set: needles that one document has, and queries with one typo."""

from __future__ import annotations

import random

from bench.quality.generated import KINDS, NEEDLE, OWN, TYPO, combined, needles, typos
from semantik.evaluation.judged_set import JudgedDocument, JudgedQuery, Judgment

_DOCUMENTS = (
    JudgedDocument(
        "ferry", "", "The old ferry Maren Solberg left Sandoy in 1893, and nobody heard of its captain again."
    ),
    JudgedDocument(
        "lamp", "Lamps", "The keeper Olav Brekke polished both lanterns every evening until 14.02.1911."
    ),
    JudgedDocument("copy", "", "The keeper left in 1893."),
    JudgedDocument(
        "tower", "灯台", "灯台守は毎晩二つの灯りを丁寧に磨いていた。その後、船長の話は誰も聞かなかった。"
    ),
)
_QUERIES = (
    JudgedQuery("1", "When did the ferry leave?", (Judgment("ferry"),)),
    JudgedQuery("2", "灯台守は何をしたか", (Judgment("tower"),)),
)


def _needles() -> dict[str, list[JudgedQuery]]:
    found: dict[str, list[JudgedQuery]] = {kind: [] for kind in KINDS}
    for query in needles(_DOCUMENTS, random.Random(1)):
        found[query.id.removeprefix(f"{NEEDLE}:").rpartition("-")[0]].append(query)
    return found


def test_a_needle_is_in_its_document_alone() -> None:
    texts = {each.id: f"{each.title}\n{each.text}" for each in _DOCUMENTS}
    queries = [query for kind in _needles().values() for query in kind]
    assert queries
    for query in queries:
        [judgment] = query.judgments
        assert {name for name, text in texts.items() if query.text.lower() in text.lower()} == {
            judgment.expected
        }


def test_each_kind_of_needle_is_found_in_a_corpus() -> None:
    found = _needles()
    assert {each.text for each in found["name"]} <= {"Maren Solberg", "Olav Brekke"} and len(
        found["name"]
    ) == 2
    assert [each.text for each in found["number"]] == ["14.02.1911"]  # 1893 is in two documents
    assert {len(each.text.split()) for each in found["phrase"] if each.text.isascii()} == {6}
    assert [len(each.text) for each in found["phrase"] if not each.text.isascii()] == [12]
    assert all(each.text.islower() for each in found["word"])


def test_a_typo_changes_one_long_word_and_keeps_its_first_letter() -> None:
    for seed in range(50):
        [query] = typos(_QUERIES, random.Random(seed))
        words, mistyped = _QUERIES[0].text.split(), query.text.split()
        [changed] = [(one, two) for one, two in zip(words, mistyped, strict=True) if one != two]
        assert changed[0][0] == changed[1][0] and abs(len(changed[0]) - len(changed[1])) <= 1
        assert query.judgments == _QUERIES[0].judgments


def test_ids_say_where_a_query_is_from() -> None:
    queries = combined(_DOCUMENTS, _QUERIES)
    assert [each.id for each in queries][:3] == [f"{OWN}:1", f"{OWN}:2", f"{TYPO}:1"]
    assert combined(_DOCUMENTS, _QUERIES) == queries
