"""What an answer is sent as, in this order: `Passages`, then `Sentence` as often as there is one, then `End`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from semantik.search.hits import Hit

Outcome = Literal[
    "answered",
    "not_in_documents",  # the matches are weak, or the model finds no answer in them, or cites none of them
]


@dataclass(frozen=True)
class Passages:
    """What the answer is made from; the number of a passage is its place here, from 1 on."""

    hits: tuple[Hit, ...]


@dataclass(frozen=True)
class Sentence:
    """A sentence with the numbers of the passages that it cites: at least one, each a passage of the answer."""

    text: str
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class End:
    """`omitted` sentences were not passed on, since they cite no passage. `cut`: the model had more to say than
    `answers.max_tokens`."""

    outcome: Outcome
    omitted: int = 0
    cut: bool = False


AnswerEvent = Passages | Sentence | End
