"""A figure, beside what it is compared with and what we aim at; and the table of many. Measures nothing itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """`ours` in `unit`, beside `reference` of the same run, which `against` names.

    The aim is on their ratio, or on `ours` where there is no reference: at `least`, or at `most`.
    """

    what: str
    ours: float
    unit: str
    reference: float | None = None
    against: str = ""
    least: float | None = None
    most: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.ours / self.reference if self.reference else None

    @property
    def holds(self) -> bool | None:
        """Whether the aim is met; None when there is none."""
        value = self.ours if self.reference is None else self.ratio
        if value is None or (self.least is None and self.most is None):
            return None
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"ratio": self.ratio, "holds": self.holds}


_HEAD = ("", "ours", "reference", "ratio", "aim", "")


def table(figures: Sequence[Figure]) -> str:
    """One line a figure."""
    rows = [_HEAD, *map(_row, figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if 0 < at < 5 else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _row(figure: Figure) -> tuple[str, ...]:
    aim = ""
    if figure.least is not None:
        aim = f"≥ {figure.least:g}"
    elif figure.most is not None:
        aim = f"≤ {figure.most:g}"
    verdict = {None: "", True: "holds", False: "MISSED"}[figure.holds]
    notes = [verdict, f"against {figure.against}" if figure.against else "", figure.note]
    return (
        figure.what,
        f"{_number(figure.ours)} {figure.unit}".strip(),
        "" if figure.reference is None else f"{_number(figure.reference)} {figure.unit}".strip(),
        "" if figure.ratio is None else f"{figure.ratio:.3g}",
        aim,
        "; ".join(note for note in notes if note),
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
