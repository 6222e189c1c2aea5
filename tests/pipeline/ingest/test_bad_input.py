"""Bad folders and bad files on a real server: each gives a clear error, and the good files are found."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from support.api import ask, documents, index, new_user
from support.patience import patience
from support.server import SAMPLES, Serving

from semantik.client.websocket import Refused

pytestmark = pytest.mark.gen_test

GOOD = "The lighthouse keeper winds the clockwork every four hours."


async def _refused(serving: Serving, path: str) -> Refused:
    client = await new_user(serving)
    with pytest.raises(Refused) as refused:
        await client.call("POST", "collections", {"name": "Bad", "source_path": path})
    assert (await client.call("GET", "collections"))["items"] == []  # no partial collection remains
    return refused.value


async def test_an_invalid_source_path_is_refused(shared: Serving, tmp_path: Path) -> None:
    file = tmp_path / "file.txt"
    file.write_text("x")
    for path, word in [
        (str(tmp_path / "missing"), "missing"),
        (str(file), "not a folder|not a directory"),
        ("", "path of a folder"),
        ("relative/path", "absolute|relative"),
        ("nul\0byte", "NUL"),
    ]:
        refusal = await _refused(shared, path)
        assert refusal.status == 422, path
        assert any(each in str(refusal) for each in word.split("|")), str(refusal)


async def test_system_folders_and_the_servers_data_folder_are_refused(shared: Serving) -> None:
    for path in ("/proc", "/sys/kernel", "/dev", str(shared.data), str(shared.data / "mongo")):
        assert (await _refused(shared, path)).status == 403, path


async def test_a_folder_outside_the_roots_is_refused_even_through_a_symlink(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    for each in (inside, outside):
        each.mkdir()
        (each / "text.txt").write_text(f"{GOOD} {each.name}")
    (inside / "way-out").symlink_to(outside)
    (inside / "file-out.txt").symlink_to(outside / "text.txt")
    serving = start(
        "--documents-roots", str(inside), "--auth-registration", "open", "--progress-linger-s", "0.2"
    )
    for path in (outside, inside / "way-out", inside / ".." / "outside"):
        assert (await _refused(serving, str(path))).status == 403
    client = await new_user(serving)
    collection_id, messages = await index(client, inside)
    assert list(await documents(client, collection_id)) == ["text.txt"]
    warnings = next(m for m in messages if m["type"] == "scanning_completed")["data"]["warnings"]
    assert len([w for w in warnings if "way-out" in w or "file-out" in w]) == 2


async def test_indexing_an_empty_folder_completes_without_documents(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    collection_id, messages = await index(client, tmp_path)
    assert messages[-1]["data"]["status"] == "completed"
    view = await client.call("GET", f"collections/{collection_id}")
    assert (view["status"], view["document_count"], view["active_operation_id"]) == ("empty", 0, None)
    assert await ask(client, "anything") == []


async def test_a_folder_that_vanishes_while_queued_fails_its_operation(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving = start(
        "--operations-concurrent", "1", "--auth-registration", "open", "--progress-linger-s", "0.2"
    )
    client = await new_user(serving)
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "text.txt").write_text(GOOD)
    first = await client.call("POST", "collections", {"name": "1", "source_path": str(tmp_path / "first")})
    second = await client.call("POST", "collections", {"name": "2", "source_path": str(tmp_path / "second")})
    (tmp_path / "second").rename(tmp_path / "elsewhere")  # the first still waits for its model
    [_ async for _ in client.watch(first["operation_id"])]
    messages = [message async for message in client.watch(second["operation_id"])]
    assert [m["type"] for m in messages[-2:]] == ["operation_failed", "status_update"]
    assert str(tmp_path / "second") in messages[-2]["data"]["error_message"]


async def test_every_bad_file_is_reported_and_the_good_ones_are_found(
    shared: Serving, tmp_path: Path
) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "good.txt").write_text(GOOD)
    (folder / "empty.txt").write_text("")
    (folder / "empty.pdf").write_bytes(b"")
    pdf = (SAMPLES / "power-and-heating.pdf").read_bytes()
    (folder / "truncated.pdf").write_bytes(pdf[: len(pdf) // 3])
    (folder / "picture.pdf").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    (folder / "binary.txt").write_bytes(Path("/bin/ls").read_bytes()[:50_000])
    (folder / "letter.docx").write_bytes(b"PK\x03\x04 this is no letter")
    with (folder / "huge.log").open("wb") as log:
        log.truncate(200 * 1024 * 1024)
    os.mkfifo(folder / "pipe.txt")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / "socket.txt"))
    (folder / "loop").symlink_to(folder)
    (folder / "broken-link.txt").symlink_to(folder / "nowhere")
    (Path(os.fsdecode(os.fsencode(str(folder)) + b"/caf\xe9.txt"))).write_text(GOOD)

    client = await new_user(shared)
    collection_id, messages = await index(client, folder)
    listener.close()
    assert messages[-1]["data"]["status"] == "completed"
    found = await documents(client, collection_id)
    outcomes = {
        name: (d["status"], d["error"]["category"] if d["error"] else None) for name, d in found.items()
    }
    assert outcomes == {
        "good.txt": ("indexed", None),
        "empty.txt": ("skipped", "empty"),
        "empty.pdf": ("skipped", "empty"),
        "truncated.pdf": ("failed", "corrupt"),
        "picture.pdf": ("failed", outcomes["picture.pdf"][1]),
        "binary.txt": ("failed", "unsupported"),
        "letter.docx": ("failed", "corrupt"),
        "huge.log": ("failed", "too_large"),
    }
    assert outcomes["picture.pdf"][1] in ("corrupt", "unsupported")
    assert "PNG" in found["picture.pdf"]["error"]["message"]
    errors = {Path(m["path"]).name: m["data"]["category"] for m in messages if m["type"] == "error"}
    assert errors == {name: category for name, (status, category) in outcomes.items() if status == "failed"}
    assert all(len(d["error"]["message"]) > 10 for d in found.values() if d["error"])
    warnings = next(m for m in messages if m["type"] == "scanning_completed")["data"]["warnings"]
    for name in ("pipe.txt", "socket.txt", "broken-link.txt", "caf\\xe9.txt"):
        assert any(name in warning for warning in warnings), (name, warnings)
    assert (await ask(client, "lighthouse clockwork", k=1))[0]["document"]["name"] == "good.txt"
    view = await client.call("GET", f"collections/{collection_id}")
    assert (view["document_count"], view["failed_count"], view["skipped_count"]) == (1, 5, 2)


async def test_a_file_that_vanishes_or_crashes_or_hangs_the_extractor_fails_alone(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(12):
        (folder / f"good-{number}.txt").write_text(f"{GOOD} Number {number}.")
    (folder / "crasher.txt").write_text("This one kills its worker.")
    (folder / "vanisher.txt").write_text("This one is gone before it is read.")
    serving = start(
        "--documents-file-timeout-s", f"{patience(2):g}", "--auth-registration", "open", "--progress-linger-s", "0.2",
        env={"SEMANTIK_FAILPOINT": "extract:crash:crasher"},
    )  # fmt: skip
    client = await new_user(serving)
    made = await client.call("POST", "collections", {"name": "Bad", "source_path": str(folder)})
    async for message in client.watch(made["operation_id"]):
        if message["type"] == "scanning_completed":
            (folder / "vanisher.txt").unlink()
    assert message["data"]["status"] == "completed"
    found = await documents(client, made["id"])
    assert found["vanisher.txt"]["error"]["category"] == "unreadable"
    assert found["crasher.txt"]["error"]["category"] == "worker_died"
    assert sum(d["status"] == "indexed" for d in found.values()) == 12
    serving.stop()

    (folder / "hanger.txt").write_text("This one never ends.")
    (folder / "crasher.txt").unlink()
    again = start(
        "--documents-file-timeout-s", f"{patience(2):g}", "--auth-registration", "open", "--progress-linger-s", "0.2",
        env={"SEMANTIK_FAILPOINT": "extract:hang:hanger"},
    )  # fmt: skip
    client = await new_user(again)
    collection_id, _ = await index(client, folder)
    found = await documents(client, collection_id)
    assert found["hanger.txt"]["error"]["category"] == "timeout"
    assert sum(d["status"] == "indexed" for d in found.values()) == 12


async def test_a_model_that_cannot_be_loaded_fails_the_operation(shared: Serving, tmp_path: Path) -> None:
    (tmp_path / "good.txt").write_text(GOOD)
    client = await new_user(shared)
    request = {"name": "No model", "source_path": str(tmp_path), "embedding_model": "nobody/no-such-model"}
    made = await client.call("POST", "collections", request)
    messages = [message async for message in client.watch(made["operation_id"])]
    assert [m["type"] for m in messages[-2:]] == ["operation_failed", "status_update"]
    assert "nobody/no-such-model" in messages[-2]["data"]["error_message"]
    assert (await client.call("GET", f"collections/{made['id']}"))["status"] == "failed"
    operation = await client.call("GET", f"operations/{made['operation_id']}")
    assert (operation["status"], operation["queue_position"]) == ("failed", None)


async def test_a_file_dated_in_the_far_future_is_indexed(shared: Serving, tmp_path: Path) -> None:
    (tmp_path / "good.txt").write_text(GOOD)
    os.utime(tmp_path / "good.txt", (10_500_000_000, 10_500_000_000))
    client = await new_user(shared)
    collection_id, messages = await index(client, tmp_path)
    assert messages[-1]["data"]["status"] == "completed"
    assert (await documents(client, collection_id))["good.txt"]["status"] == "indexed"
