"""The state of an RTF group: what its text means, which `}` gives back. Pure."""

from __future__ import annotations

from dataclasses import dataclass

# Where text goes, besides into a sink.
# SKIP: nothing inside counts. SHAPE: its own text does not count, but some groups inside do.
SKIP, SHAPE, FONTS, STYLES, INFO, CODE, MARKER, AUTHOR, NAME, VALUE = range(1, 11)
IGNORED = (SKIP, SHAPE)


@dataclass(slots=True)
class State:
    """Properties of characters and of the paragraph, and `target`: 0 for text, else one of the constants above."""

    target: int = 0
    key: str = ""  # the entry of INFO that text belongs to
    font: int | None = None
    hidden: bool = False  # \v
    deleted: bool = False  # a tracked deletion
    position: int = 0  # above 0 of raised text, below 0 of lowered text
    markup: bool = False  # \htmlrtf: RTF that stands for markup of HTML
    skipped_after_unicode: int = 1  # \uc
    style: int = 0
    outline: int | None = None
    in_table: bool = False
    depth: int = 0

    @property
    def shown(self) -> bool:
        return not (self.target or self.hidden or self.deleted or self.markup)

    def copy(self) -> State:
        """Called for each group, so in the fastest way: field by field."""
        return State(
            self.target, self.key, self.font, self.hidden, self.deleted, self.position, self.markup,
            self.skipped_after_unicode, self.style, self.outline, self.in_table, self.depth,
        )  # fmt: skip
