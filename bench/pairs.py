"""What two builds took for the same work, measured in turns, and the result that comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Literal

from bench.results import Result


@dataclass
class Pair:
    """The measured values of this build (`ours`) and of the other (`theirs`), both in `unit`.

    `better` says whether the lower or the higher value is the better one.
    """

    name: str
    unit: str
    better: Literal["lower", "higher"]
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)
    note: str = ""

    def result(self, reference_name: str, target: float | None = None) -> Result:
        """The medians with their spread; `target` is the largest ratio where lower is better, or the smallest."""
        return Result(
            self.name,
            median(self.ours),
            self.unit,
            median(self.theirs),
            reference_name,
            minimum=target if self.better == "higher" else None,
            maximum=target if self.better == "lower" else None,
            note=self.note,
            spread=max(spread(self.ours), spread(self.theirs)),
        )


def spread(values: Sequence[float]) -> float:
    """Half of the distance between the quartiles, as a share of the median; 0 of fewer than two values."""
    if len(values) < 2 or not median(values):
        return 0.0
    low, _, high = quantiles(values, n=4, method="inclusive")
    return (high - low) / 2 / abs(median(values))
