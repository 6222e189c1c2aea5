"""tokenizers' own normalizer replaces what the charsmap says, and nothing else."""

from __future__ import annotations

import sys
import unicodedata

from pipeline.embedding.multilingual.charsmap import charsmap


def test_every_character_is_replaced_as_given_and_no_other() -> None:
    from tokenizers.normalizers import Precompiled

    characters = [chr(code) for code in range(1, sys.maxunicode + 1, 3) if not 0xD800 <= code < 0xE000]
    replacements = {
        each: normal for each in characters if (normal := unicodedata.normalize("NFKC", each)) != each
    }
    assert len(replacements) > 1000
    normalizer = Precompiled(charsmap(replacements))
    # Between letters, as a mark would form one character with what stands before it.
    wrong = [
        each
        for each in characters
        if not unicodedata.combining(each)
        and normalizer.normalize_str(f"x{each}") != f"x{replacements.get(each, each)}"
    ]
    assert not wrong


def test_a_replacement_may_be_empty_or_longer() -> None:
    from tokenizers.normalizers import Precompiled

    normalizer = Precompiled(charsmap({"\x01": "", "™": "TM", "㍿": "株式会社"}))
    assert normalizer.normalize_str("a\x01b™ ㍿") == "abTM 株式会社"
