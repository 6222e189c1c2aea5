"""Scans: text in pictures is recognised after all other files, kept, marked, and taken up where it was left."""

from __future__ import annotations

import asyncio
import io
import shutil
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter
from support.api import ask, documents, index, new_user
from support.patience import patience
from support.scans import encoded, lines_of_text, noisy, page, shadowed, turned
from support.server import SAMPLES, Serving

from semantik.client.api import Client
from semantik.commands.server import main
from semantik.storage.mongo import Store

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
    assert "the picture is damaged" in found["torn.png"]["error"]["message"]
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


def scanned_pdf(pages: Iterable[Image.Image]) -> bytes:
    first, *others = pages
    return encoded(first, "PDF", save_all=True, append_images=others, resolution=110)


def mixed_pdf() -> bytes:
    """A page of text, a scanned page, and a page of text."""
    text = PdfReader(SAMPLES / "power-and-heating.pdf").pages
    scanned = PdfReader(io.BytesIO(scanned_pdf([scan(3)]))).pages[0]
    writer = PdfWriter()
    for one in (text[0], scanned, text[1]):
        writer.add_page(one)
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


async def test_scanned_pages_of_pdf_documents(shared: Serving, folder: Path) -> None:
    (folder / "scanned.pdf").write_bytes(scanned_pdf([scan(1), scan(4)]))
    (folder / "mixed.pdf").write_bytes(mixed_pdf())
    client = await new_user(shared)
    collection_id, messages = await index(client, folder)
    assert of_type(messages, "recognizing_text")[-1]["pages_total"] == 3
    assert {name: one["pages"] for name, one in (await documents(client, collection_id)).items()} == {
        "scanned.pdf": 2,
        "mixed.pdf": 3,
    }
    hits = await ask(client, "Basket", collection_ids=[collection_id], k=50)
    places = {(hit["document"]["name"], hit["page"], hit["recognised"]) for hit in hits}
    assert {("scanned.pdf", 1, True), ("scanned.pdf", 2, True), ("mixed.pdf", 2, True)} <= places
    assert {recognised for name, number, recognised in places if name == "mixed.pdf" and number != 2} == {
        False
    }
    mixed = (await documents(client, collection_id))["mixed.pdf"]
    assert (mixed["quality"]["recognised_pages"], mixed["quality"]["warnings"]) == (1, [])
    passage = next(
        hit["passage"] for hit in hits if hit["page"] == 2 and hit["document"]["name"] == "mixed.pdf"
    )
    assert "1003" in passage


async def test_pictures_in_an_archive(shared: Serving, folder: Path) -> None:
    with zipfile.ZipFile(folder / "baskets.zip", "w") as archive:
        archive.writestr("autumn/basket.png", encoded(scan(2), "PNG"))
    client = await new_user(shared)
    collection_id, _ = await index(client, folder)
    (hit,) = await ask(client, "Basket", collection_ids=[collection_id])
    assert hit["recognised"] and "1002" in hit["passage"]
    assert hit["document"]["path"].endswith("baskets.zip#autumn/basket.png")


@pytest.mark.noisy
@pytest.mark.parametrize("stage", ["recognition.recognised", "recognition.marked"])
async def test_a_crash_in_between_costs_no_page(
    start: Callable[..., Serving], folder: Path, stage: str
) -> None:
    for number in (1, 2):
        write_scan(folder, number)
    flags = ("--operations-lease-s", "2")
    serving = start(*flags, env={"SEMANTIK_FAILPOINT": stage})
    client = await new_user(serving)
    made = await client.call("POST", "collections", {"name": "Baskets", "source_path": str(folder)})
    await asyncio.to_thread(serving.process.wait, patience())
    again = start(
        *flags, env={"SEMANTIK_FAILPOINT": "recognise:crash:basket"}
    )  # nothing is recognised once more
    client.url = again.url
    messages = [message async for message in client.watch(made["operation_id"])]
    assert [message["type"] for message in messages].count("operation_completed") == 1
    assert {one["status"] for one in (await documents(client, made["id"])).values()} == {"indexed"}
    again.kill()


async def test_a_page_that_takes_too_long_or_crashes_costs_itself_only(
    start: Callable[..., Serving], folder: Path
) -> None:
    (folder / "two.tif").write_bytes(encoded(scan(1), "TIFF", save_all=True, append_images=[scan(2)]))
    write_scan(folder, 5)
    timeout_s = f"{patience(4):.0f}"
    serving = start(
        "--documents-ocr-page-timeout-s", timeout_s, env={"SEMANTIK_FAILPOINT": "recognise:hang:basket-05"}
    )
    client = await new_user(serving)
    collection_id, _ = await index(client, folder)
    found = await documents(client, collection_id)
    assert found["two.tif"]["status"] == "indexed"
    assert found["basket-05.png"]["status"] == "skipped"
    assert found["basket-05.png"]["error"]["message"] == (
        "This is a PNG image. The text of page 1 was not recognised: its recognition "
        f"took longer than {timeout_s} seconds (documents.ocr_page_timeout_s)."
    )


async def test_cancelled_between_pages_and_taken_up_by_the_next_scan(
    start: Callable[..., Serving], folder: Path
) -> None:
    for number in (1, 2):
        write_scan(folder, number)
    serving = start("--pool-workers", "1", env={"SEMANTIK_FAILPOINT": "recognise:hang:basket-02"})
    client = await new_user(serving)
    made = await client.call("POST", "collections", {"name": "Baskets", "source_path": str(folder)})
    async for message in client.watch(made["operation_id"]):
        if message["type"] == "recognizing_text" and message["data"]["pages_done"] == 1:
            await client.call("DELETE", f"operations/{made['operation_id']}")
            break
    messages = [message async for message in client.watch(made["operation_id"])]
    assert messages[-1]["data"]["status"] == "cancelled"
    assert {one["status"] for one in (await documents(client, made["id"])).values()} == {"skipped"}
    serving.stop()
    client.url = start().url
    messages = await append(client, made["id"])
    assert of_type(messages, "recognizing_text")[0]["pages_done"] == 0
    assert {one["status"] for one in (await documents(client, made["id"])).values()} == {"indexed"}


async def test_removed_documents_leave_no_recognised_text(
    start: Callable[..., Serving], folder: Path
) -> None:
    file = write_scan(folder, 1)
    (folder / "letter.txt").write_text("The cider press was repaired by the smith.")
    serving = start()
    client = await new_user(serving)
    collection_id, _ = await index(client, folder)
    async with Store(serving.stores.mongo_url, serving.stores.database) as store:
        assert len(await store.recognised_pages.contents(collection_id)) == 1
        file.unlink()
        await append(client, collection_id)
        assert await store.recognised_pages.contents(collection_id) == []


def test_a_server_that_requires_tesseract_does_not_start_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["--documents-ocr", "on", "--data", str(tmp_path)]) == 2
    assert "its text can be read once the package tesseract-ocr is installed" in capsys.readouterr().err
