"""The result of a measurement, with its reference and its target; the table of results; percentiles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Result:
    """`value` in `unit`, and the `reference` that was measured in the same run, described by `reference_name`.

    The target (`minimum` or `maximum`) applies to their ratio, or to `value` if there is no reference. `spread` is half
    of the distance between the quartiles of what was measured, as a share of its median.
    """

    name: str
    value: float
    unit: str
    reference: float | None = None
    reference_name: str = ""
    minimum: float | None = None
    maximum: float | None = None
    note: str = ""
    spread: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.value / self.reference if self.reference else None

    @property
    def target_met(self) -> bool | None:
        """Whether the target is met; None if there is no target."""
        measured = self.value if self.reference is None else self.ratio
        if measured is None or (self.minimum is None and self.maximum is None):
            return None
        return (self.minimum is None or measured >= self.minimum) and (
            self.maximum is None or measured <= self.maximum
        )

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"ratio": self.ratio, "target_met": self.target_met}


_HEADER = ("", "value", "reference", "ratio", "target", "")


def table(results: Sequence[Result]) -> str:
    """A header, and one line for each result."""
    rows = [_HEADER, *map(_row, results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if 0 < column_number < 5 else cell.ljust(width)
            for column_number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def line(result: Result) -> str:
    """The result alone, in one line."""
    return "  ".join(filter(None, _row(result)))


def _row(result: Result) -> tuple[str, ...]:
    target = ""
    if result.minimum is not None:
        target = f"≥ {result.minimum:g}"
    elif result.maximum is not None:
        target = f"≤ {result.maximum:g}"
    verdict = {None: "", True: "met", False: "MISSED"}[result.target_met]
    spread = "" if result.spread is None else f"± {result.spread:.0%}"
    notes = [
        verdict,
        spread,
        f"against {result.reference_name}" if result.reference_name else "",
        result.note,
    ]
    return (
        result.name,
        f"{_formatted(result.value)} {result.unit}".strip(),
        "" if result.reference is None else f"{_formatted(result.reference)} {result.unit}".strip(),
        "" if result.ratio is None else f"{result.ratio:.3g}",
        target,
        "; ".join(note for note in notes if note),
    )


def _formatted(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def p99(values: Sequence[float]) -> float:
    """The 99th percentile by the nearest rank, of at least one value."""
    return sorted(values)[math.ceil(len(values) * 0.99) - 1]
