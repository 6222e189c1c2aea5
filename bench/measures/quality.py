"""Which documents are found, on judged sets: `make bench ARGS=quality SET="/some/folder /another"`, in BEIR form.

Each mode of Semantik, indexed and asked over HTTP by `semantik-eval`, beside BM25 (bm25s at its defaults), exact cosine
of the same model, a plain mix of both, and peers at their defaults; with needles and typos generated from each set.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from bench.corpus import ROOT, WORK_FOLDER
from bench.quality.baselines import BM25, COSINE, MIX, PEERS, Rankings, rankings
from bench.quality.generated import KINDS, NEEDLE, OWN, TYPO, combined
from bench.quality.sample_sets import sample_sets
from bench.results import Result
from semantik.evaluation.beir import read_beir
from semantik.evaluation.judged_set import JudgedDocument, JudgedQuery, relevances
from semantik.evaluation.measures import HIT_1, NDCG, RECALL_10, measured
from semantik.evaluation.runner import MODES

_FOLDER = WORK_FOLDER / "quality"
_OURS = MODES[0]
_GENERATED = "generated"  # the judgments of generated queries alone
_GENERATED_MODES = ("hybrid", "words")
_ALL_FOUND = ("name", "phrase")  # needles that should be the very first hit

Measured = Mapping[str, Mapping[str, Mapping[str, float]]]
"""The measures by system and query id."""


@dataclass(frozen=True)
class _Set:
    """A judged set with its generated queries, as a folder in BEIR form; `source` is the set as it was given."""

    name: str
    source: Path
    folder: Path
    documents: tuple[JudgedDocument, ...]
    queries: tuple[JudgedQuery, ...]


def measure() -> Iterator[Result]:
    folders = [Path(each).resolve() for each in os.environ.get("SET", "").split()] or sample_sets()
    peers = () if os.environ.get("PEERS") == "none" else PEERS
    averages: list[dict[str, float]] = []
    for folder in folders:
        judged = _with_generated(folder)
        found = _measured(judged, peers)
        averages.append({system: _average(found, system, OWN, NDCG) for system in found})
        print(_row(judged.name, averages[-1]), file=sys.stderr, flush=True)
        yield from _ranking_results(judged, averages[-1])
        yield from _needle_results(judged.name, found)
        yield from _typo_results(judged.name, found)
    names = f"mean of {len(folders)}: {', '.join(folder.name for folder in folders)}"
    ours = mean(each[_OURS] for each in averages)
    mix = mean(each[MIX] for each in averages)
    yield Result(f"nDCG@10 above {MIX}", ours - mix, "", minimum=0.01, note=f"{ours:.3f}, {mix:.3f}; {names}")
    for peer in peers:
        theirs = mean(each[peer] for each in averages)
        yield Result(
            f"nDCG@10 above {peer}",
            ours - theirs,
            "",
            minimum=0.08,
            note=f"{ours:.3f}, {theirs:.3f}; {names}",
        )


def _row(name: str, averages: Mapping[str, float]) -> str:
    return f"{name}: nDCG@10 " + ", ".join(f"{system} {value:.3f}" for system, value in averages.items())


def _with_generated(folder: Path) -> _Set:
    """Write the set with its generated queries in BEIR form below build/bench."""
    judged = read_beir(folder)
    assert judged.documents is not None
    queries = combined(judged.documents, judged.queries)
    target = _FOLDER / "sets" / folder.name
    (target / "qrels").mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = [{"_id": each.id, "text": each.text} for each in queries]
    (target / "queries.jsonl").write_text(_lines(rows))
    rows = [{"_id": each.id, "title": each.title, "text": each.text} for each in judged.documents]
    (target / "corpus.jsonl").write_text(_lines(rows))
    for split, part in (("test", queries), (_GENERATED, [each for each in queries if not _is_own(each.id)])):
        lines = [f"{each.id}\t{one.expected}\t{one.grade:g}\n" for each in part for one in each.judgments]
        (target / "qrels" / f"{split}.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(lines))
    return _Set(folder.name, folder, target, judged.documents, queries)


def _is_own(query_id: str) -> bool:
    return query_id.startswith(f"{OWN}:")


def _lines(rows: Sequence[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def _measured(judged: _Set, peers: Sequence[str]) -> Measured:
    found: dict[str, dict[str, dict[str, float]]] = _ask_semantik(judged)
    ranked = rankings(judged.folder, judged.source, judged.documents, judged.queries, peers)
    found |= {system: _measure_ranking(judged.queries, by_query) for system, by_query in ranked.items()}
    return found


def _ask_semantik(judged: _Set) -> dict[str, dict[str, dict[str, float]]]:
    """The set's own queries in all modes; the generated ones, which are many, only as deep as they are looked at."""
    own = _eval(judged.source, MODES)
    found = {mode: {f"{OWN}:{query}": row for query, row in rows.items()} for mode, rows in own.items()}
    for mode, rows in _eval(judged.folder, _GENERATED_MODES, "--split", _GENERATED, "--depth", "10").items():
        found[mode] |= rows
    return found


def _eval(folder: Path, modes: Sequence[str], *flags: str) -> dict[str, dict[str, dict[str, float]]]:
    command = [
        str(ROOT / "bin" / "semantik-eval"),
        str(folder),
        "--json",
        "--cache",
        str(_FOLDER / "indexed"),
    ]
    command += ["--modes", ",".join(modes), *flags]
    ended = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    answers = json.loads(ended.stdout)["answers"]
    return {mode: {row["id"]: row for row in rows} for mode, rows in answers.items()}


def _measure_ranking(queries: Sequence[JudgedQuery], found: Rankings) -> dict[str, dict[str, float]]:
    """The measures of each query; peers were asked the set's own queries alone, by their own ids."""
    rows = {}
    for query in queries:
        ranked = found.get(query.id, found.get(query.id.removeprefix(f"{OWN}:")))
        if ranked is not None:
            rows[query.id] = measured(query, relevances(query, ranked, str.__eq__))
    return rows


def _average(found: Measured, system: str, part: str, measure: str) -> float:
    """The mean over the queries whose id starts with `part`; nan if there is none."""
    values = [row[measure] for query, row in found[system].items() if query.startswith(f"{part}:")]
    return mean(values) if values else float("nan")


def _ranking_results(judged: _Set, averages: Mapping[str, float]) -> Iterator[Result]:
    count = sum(_is_own(query.id) for query in judged.queries)
    size = f"{len(judged.documents):,} documents, {count:,} queries"
    note = ", ".join(f"{system} {value:.3f}" for system, value in averages.items())
    better = max(averages[BM25], averages[COSINE])
    yield Result(
        f"{judged.name}: nDCG@10 above the better of cosine and BM25",
        averages[_OURS] - better,
        "",
        minimum=0.02,
        note=f"{note}; {size}",
    )
    yield Result(f"{judged.name}: nDCG@10 above the mix", averages[_OURS] - averages[MIX], "", minimum=0)


def _needle_results(name: str, found: Measured) -> Iterator[Result]:
    for kind in KINDS:
        rows = [query for query in found[_OURS] if query.startswith(f"{NEEDLE}:{kind}-")]
        if not rows:
            continue
        shares = {
            system: [mean(found[system][query][measure] for query in rows) for measure in (RECALL_10, HIT_1)]
            for system in (_OURS, "words", BM25)
        }
        note = ", ".join(f"{system} {ten:.2f} / {one:.2f}" for system, (ten, one) in shares.items())
        yield Result(
            f"{name}: needles, {kind}: hit@10",
            shares[_OURS][0],
            "",
            minimum=0.97,
            note=f"hit@10 / hit@1 of {len(rows)}: {note}",
        )
        if kind in _ALL_FOUND:
            yield Result(f"{name}: needles, {kind}: hit@1", shares[_OURS][1], "", minimum=0.9)


def _typo_results(name: str, found: Measured) -> Iterator[Result]:
    """hit@10 of queries with a typo, compared with the same ones without."""
    mistyped = [query for query in found[_OURS] if query.startswith(f"{TYPO}:")]
    if not mistyped:
        return
    ratios = {}
    for system in (*_GENERATED_MODES, BM25):
        rows = found[system]
        right = mean(rows[query.replace(f"{TYPO}:", f"{OWN}:", 1)][RECALL_10] > 0 for query in mistyped)
        wrong = mean(rows[query][RECALL_10] > 0 for query in mistyped)
        ratios[system] = (wrong, right)
    yield Result(
        f"{name}: hit@10 with one typo",
        ratios[_OURS][0],
        "",
        ratios[_OURS][1],
        "the same queries without",
        minimum=0.93,
        note=f"{len(mistyped)} queries; "
        + ", ".join(f"{each} {wrong:.3f} of {right:.3f}" for each, (wrong, right) in ratios.items()),
    )
