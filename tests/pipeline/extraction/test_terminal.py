"""What was sent to a terminal, as text."""

from __future__ import annotations

import pytest

from pipeline.extraction.terminal import printed


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ("\x1b[1;31mpump\x1b[0m failed\x1b[K", "pump failed"),
        ("\x1b]0;window title\x07pump \x1b]8;;http://x.example\x1b\\link\x1b]8;;\x1b\\", "pump link"),
        ("N\bNA\bAM\bME\bE", "NAME"),
        ("_\bp_\bu_\bm_\bp and a_b", "pump and a_b"),
        ("pumq\b \bp", "pump"),
        ("10%\r50%\r100% \x1b[32mdone\x1b[0m\r\nnext", "100% done\nnext"),
        ("old\rmac\rlines", "old\rmac\rlines"),
        ("\x1b(B\x1b=\x1b[?25lpump\x1b[?25h", "pump"),
        ("plain \t text", "plain \t text"),
    ],
)
def test_printed(sent: str, seen: str) -> None:
    assert printed(sent) == seen
