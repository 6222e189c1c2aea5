"""Scans: text in pictures is recognised after all other files, kept, marked, and taken up where it was left."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from support.api import ask, documents, index, new_user
from support.scans import encoded, lines_of_text, noisy, page, shadowed, turned
from support.server import Serving

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test

_NO_TESSERACT = "This is a PNG image; its text can be read once the package tesseract-ocr is installed."


def scan(number: int, lines: int = 3) -> Image.Image:
    """A scanned page: every fourth is turned, every third skewed, every fifth noisy, every seventh in a shadow."""
    picture = page(lines_of_text(number, lines, 4))
    if number % 7 == 0:
        picture = shadowed(picture)
    if number % 3 == 0:
        picture = turned(picture, (-7, 2.5, 11)[number % 9 // 3])
    if number % 4 == 0:
        picture = turned(picture, (90, 180, 270)[number % 12 // 4])
    return noisy(picture, number, 12) if number % 5 == 0 else picture


def write_scan(folder: Path, number: int) -> Path:
    file = folder / f"basket-{number:02}.png"
    file.write_bytes(encoded(scan(number), "PNG"))
    return file


def of_type(messages: Iterable[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [message["data"] for message in messages if message["type"] == kind]


async def append(client: Client, collection_id: str) -> list[dict[str, Any]]:
    accepted = await client.call("POST", f"collections/{collection_id}/append", {})
    return [message async for message in client.watch(accepted["operation_id"])]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "orchard"
    made.mkdir()
    return made


async def test_a_folder_of_fifty_scanned_pages(shared: Serving, folder: Path) -> None:
    for number in range(1, 41):
        write_scan(folder, number)
    first, *more = [scan(number, 2) for number in range(41, 51)]
    (folder / "ten-baskets.tif").write_bytes(encoded(first, "TIFF", save_all=True, append_images=more))
    (folder / "letter.txt").write_text("The cider press was repaired by the smith.")
    client = await new_user(shared)
    collection_id, messages = await index(client, folder)
    kinds = [message["type"] for message in messages]
    assert kinds.index("recognizing_text") < kinds.index("index_completed")
    progress = of_type(messages, "recognizing_text")
    assert (progress[0]["pages_done"], progress[0]["pages_total"], progress[-1]["pages_done"]) == (0, 50, 50)
    assert progress[0]["progress_percent"] < 20 <= 60 < progress[-1]["progress_percent"] <= 100
    assert of_type(messages, "error") == []
    found = await documents(client, collection_id)
    assert {one["status"] for one in found.values()} == {"indexed"}
    texts = {
        hit["document"]["name"]: hit
        for hit in await ask(client, "Basket", collection_ids=[collection_id], k=100)
    }
    numbered = [
        number for number in range(1, 41) if str(1000 + number) in texts[f"basket-{number:02}.png"]["passage"]
    ]
    assert len(numbered) >= 38
    assert all(hit["recognised"] == (name != "letter.txt") for name, hit in texts.items())
    hits = await ask(client, "Basket 1047", collection_ids=[collection_id], k=100)
    pages = {hit["page"]: hit["passage"] for hit in hits if hit["document"]["name"] == "ten-baskets.tif"}
    assert sorted(pages) == list(range(1, 11))
    assert "1047" in pages[7]
    tiff = await client.call("GET", f"collections/{collection_id}/documents/{found['ten-baskets.tif']['id']}")
    assert tiff["quality"]["recognised_pages"] == 10


async def test_pictures_without_text_and_damaged_ones_say_so(shared: Serving, folder: Path) -> None:
    (folder / "sky.png").write_bytes(encoded(Image.new("L", (300, 200), 180), "PNG"))
    (folder / "torn.png").write_bytes(encoded(scan(1), "PNG")[:300])
    client = await new_user(shared)
    collection_id, _ = await index(client, folder)
    found = await documents(client, collection_id)
    assert found["sky.png"]["status"] == "skipped"
    assert found["sky.png"]["error"]["message"] == "This is a PNG image; no text was recognised in it."
    assert found["torn.png"]["status"] == "skipped"
    assert "The picture is damaged" in found["torn.png"]["error"]["message"]
    messages = await append(client, collection_id)
    assert of_type(messages, "recognizing_text") == []


async def test_without_tesseract_pictures_wait_until_it_is_installed(
    start: Callable[..., Serving], folder: Path, tmp_path: Path
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    write_scan(folder, 1)
    serving = start(env={"PATH": str(programs)})
    client = await new_user(serving)
    collection_id, messages = await index(client, folder)
    assert of_type(messages, "recognizing_text") == []
    (waiting,) = (await documents(client, collection_id)).values()
    assert (waiting["status"], waiting["error"]["message"]) == ("skipped", _NO_TESSERACT)
    assert waiting["error"]["category"] == "empty"
    program = shutil.which("tesseract")
    assert program is not None
    (programs / "tesseract").symlink_to(program)
    messages = await append(client, collection_id)
    assert of_type(messages, "recognizing_text")[-1]["pages_done"] == 1
    (read,) = (await documents(client, collection_id)).values()
    assert read["status"] == "indexed"
    assert "1001" in (await ask(client, "basket", collection_ids=[collection_id]))[0]["passage"]


async def test_no_page_is_recognised_twice(shared: Serving, folder: Path) -> None:
    write_scan(folder, 1)
    shutil.copy(folder / "basket-01.png", folder / "copy.png")
    client = await new_user(shared)
    collection_id, messages = await index(client, folder)
    assert {one["status"] for one in (await documents(client, collection_id)).values()} == {"indexed"}
    shutil.copy(folder / "basket-01.png", folder / "late-copy.png")
    messages = await append(client, collection_id)
    assert of_type(messages, "recognizing_text")[0]["pages_done"] == 0
    accepted = await client.call("POST", f"collections/{collection_id}/reindex", {"chunk_size": 40})
    messages = [message async for message in client.watch(accepted["operation_id"])]
    assert of_type(messages, "recognizing_text")
    found = await documents(client, collection_id)
    assert [one["status"] for one in found.values()] == ["indexed"] * 3


async def test_switched_off_and_on_again(start: Callable[..., Serving], folder: Path) -> None:
    write_scan(folder, 2)
    serving = start("--documents-ocr", "off")
    client = await new_user(serving)
    collection_id, _ = await index(client, folder)
    (found,) = (await documents(client, collection_id)).values()
    assert (
        found["error"]["message"]
        == 'This is a PNG image; text in pictures is not read (documents.ocr = "off").'
    )
