"""How well a document was read. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Quality:
    """What a reader made of a file, for the user who wonders why something is not found.

    characters: the length of the text.
    unknown_share: of its words, the share that the model's tokenizer cannot read, 0 to 1.
    left_out: characters of passages that carry no language (base64, hex dumps), which are neither embedded nor found.
    pages_without_text: pages that show something and have no text, after recognition.
    recognised_pages: pages whose text was recognised in a picture.
    warnings: what else was left out or may be wrong, a sentence each.
    """

    characters: int = 0
    unknown_share: float = 0.0
    left_out: int = 0
    pages_without_text: int = 0
    recognised_pages: int = 0
    warnings: tuple[str, ...] = ()
