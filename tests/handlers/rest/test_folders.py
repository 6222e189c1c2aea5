"""`POST /folders/languages`, and the same in a scan: a model is recommended where most of a folder is not English."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.api import new_user
from support.server import Serving

from semantik.client.websocket import Refused

pytestmark = [pytest.mark.gen_test(timeout=120), pytest.mark.server]

GERMAN = "Die Wärmepumpe steht im Keller und wird jedes Jahr im Herbst von einem Fachmann gewartet. "
ENGLISH = "The heat pump is in the basement, and an expert looks after it every year in autumn. "


def _folder(path: Path, german: int, english: int) -> Path:
    path.mkdir()
    for number in range(german):
        (path / f"de-{number}.txt").write_text(GERMAN * 5)
    for number in range(english):
        (path / f"en-{number}.md").write_text(ENGLISH * 5)
    (path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (path / "broken.pdf").write_bytes(b"%PDF-1.4 and nothing else")
    return path


async def test_the_multilingual_model_is_recommended_for_a_german_folder(
    shared: Serving, tmp_path: Path
) -> None:
    client = await new_user(shared)
    found = await client.call("POST", "folders/languages", {"path": str(_folder(tmp_path / "mixed", 5, 2))})
    # On a busy machine, the time may not suffice for all seven files.
    assert found["recommended_model"] == "multilingual"
    assert 1 <= found["languages"]["de"] <= 5 and set(found["languages"]) <= {"de", "en"}


async def test_nothing_is_recommended_for_an_english_or_an_empty_folder(
    shared: Serving, tmp_path: Path
) -> None:
    client = await new_user(shared)
    found = await client.call("POST", "folders/languages", {"path": str(_folder(tmp_path / "en", 0, 3))})
    assert found["recommended_model"] is None
    (tmp_path / "empty").mkdir()
    found = await client.call("POST", "folders/languages", {"path": str(tmp_path / "empty")})
    assert found == {"languages": {}, "recommended_model": None}


async def test_a_folder_that_is_not_there_is_refused(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    with pytest.raises(Refused):
        await client.call("POST", "folders/languages", {"path": str(tmp_path / "missing")})
