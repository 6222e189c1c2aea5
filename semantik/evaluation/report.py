"""An evaluation as a table for people, and as JSON. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from semantik.evaluation.measures import DEPTH, MEASURES, NDCG
from semantik.evaluation.runner import Answer, Evaluation

_TOP = 10
_SHOWN_FOUND = 3
_SHOWN_CHARS = 100


def lost(answers: Sequence[Answer]) -> list[Answer]:
    """The queries without an expected document among the first ten."""
    return [each for each in answers if each.first_rank is None or each.first_rank > _TOP]


def as_text(evaluation: Evaluation, max_lost: int) -> str:
    """A row for each mode, the differences to the first one, and the first `max_lost` queries that it lost."""
    modes = list(evaluation.answers)
    count = len(evaluation.judged.queries)
    lines = [f"{evaluation.judged.name}: {count:,} {'query' if count == 1 else 'queries'}", ""]
    width = max(map(len, modes)) + 2
    lines.append("".join([" " * width, *(f"{measure:>12}" for measure in MEASURES)]) + f"   95 % of {NDCG}")
    for mode in modes:
        means = [evaluation.means(mode, measure) for measure in MEASURES]
        cells = "".join(f"{each.mean:>12.3f}" for each in means)
        lines.append(f"{mode:<{width}}{cells}   {means[0].low:.3f} to {means[0].high:.3f}")
    for other in modes[1:]:
        found = evaluation.difference(modes[0], other, NDCG)
        verdict = "better" if found.low > 0 else "worse" if found.high < 0 else "no clear difference"
        lines.append(
            f"{NDCG} of {modes[0]} against {other}: {found.mean:+.3f} "
            f"({found.low:+.3f} to {found.high:+.3f}, paired): {verdict}"
        )
    missing = lost(evaluation.answers[modes[0]])
    lines += ["", f"Lost in mode {modes[0]}: {len(missing):,} (not among the first {_TOP} documents)"]
    for answer in missing[:max_lost]:
        lines += _lost_lines(answer)
    if len(missing) > max_lost:
        lines.append(f"and {len(missing) - max_lost:,} more; --lost shows more, --json all of them.")
    return "\n".join(lines)


def _lost_lines(answer: Answer) -> Iterator[str]:
    rank = answer.first_rank
    yield f"- {_short(answer.query.text)}"
    yield f"    expected: {_short(', '.join(each.expected for each in answer.query.judgments))}, " + (
        f"found at rank {rank}" if rank else f"not among the first {DEPTH}"
    )
    yield f"    found:    {_short(', '.join(answer.found[:_SHOWN_FOUND]) or 'nothing')}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_CHARS else line[: _SHOWN_CHARS - 1] + "…"


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """All of it: means with their intervals, differences, and each query's measures and first ranks."""
    modes = list(evaluation.answers)
    return {
        "name": evaluation.judged.name,
        "queries": len(evaluation.judged.queries),
        "modes": {
            mode: {measure: asdict(evaluation.means(mode, measure)) for measure in MEASURES} for mode in modes
        },
        "differences": {
            f"{modes[0]} - {other}": {
                measure: asdict(evaluation.difference(modes[0], other, measure)) for measure in MEASURES
            }
            for other in modes[1:]
        },
        "lost": {mode: [_query_json(each) for each in lost(evaluation.answers[mode])] for mode in modes},
        "answers": {
            mode: [
                {"id": each.query.id, "rank": each.first_rank, **each.measures}
                for each in evaluation.answers[mode]
            ]
            for mode in modes
        },
    }


def _query_json(answer: Answer) -> dict[str, Any]:
    return {
        "id": answer.query.id,
        "query": answer.query.text,
        "expected": [each.expected for each in answer.query.judgments],
        "rank": answer.first_rank,
        "found": list(answer.found[:_TOP]),
    }
