"""Who may index which folders: what the server, users and groups have open, and what nobody may read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from support.api import PASSWORD, documents, index, new_user, refusal_of
from support.api_keys import make_key
from support.clients import connect, receive, until
from support.server import SETUP_CODE, Serving

from semantik.client.api import Client
from semantik.core.document_roots import may_be_read

pytestmark = pytest.mark.gen_test

_NO_ROOTS = {"SEMANTIK_DOCUMENTS_ROOTS": ""}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("open", "legal", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.txt").write_text(f"What lies in {name} is about herons.")
    (tmp_path / "legal" / "link.txt").symlink_to(tmp_path / "other" / "other.txt")
    return tmp_path


async def _refused(client: Client, folder: Path) -> str:
    refusal = await refusal_of(client, "POST", "collections", {"name": "x", "source_path": str(folder)})
    assert refusal.status == 403
    return str(refusal)


async def _user_id(client: Client) -> str:
    return str((await client.call("GET", "auth/me"))["id"])


async def test_without_roots_only_administrators_index_until_one_opens_folders(
    start: Callable[..., Serving], tree: Path
) -> None:
    serving = start("--auth-registration", "open", env=_NO_ROOTS)
    assert (await Client(serving.url).call("GET", "auth/setup"))["chooses_roots"]
    ada = await new_user(serving)
    bob = await new_user(serving)
    assert "administrator" in await _refused(bob, tree / "open")
    collection, _ = await index(ada, tree / "other")
    assert set(await documents(ada, collection)) == {"other.txt"}
    assert (await refusal_of(bob, "GET", "admin/roots")).status == 403

    assert (await ada.call("PUT", "admin/roots", {"roots": [str(tree / "open")]}))["roots"]
    await index(bob, tree / "open")
    assert "outside" in await _refused(bob, tree / "legal")
    assert "outside" in await _refused(ada, tree / "legal")  # for administrators, too, once roots are chosen
    # What lies outside the roots now stays as it was read, and is not read again.
    (tree / "other" / "new.txt").write_text("Another heron.")
    again = await ada.call("POST", f"collections/{collection}/append", {})
    assert [frame async for frame in ada.watch(again["operation_id"])][-1]["status"] == "failed"
    assert set(await documents(ada, collection)) == {"other.txt"}


async def test_the_first_user_chooses_the_roots(start: Callable[..., Serving], tree: Path) -> None:
    client = Client(start("--auth-registration", "open", env=_NO_ROOTS).url)
    account = {"username": "ann", "password": PASSWORD, "setup_code": SETUP_CODE}
    wrong = await refusal_of(client, "POST", "auth/register", {**account, "roots": ["papers"]})
    assert wrong.status == 422 and "absolute" in str(wrong)
    await client.call("POST", "auth/register", {**account, "roots": [str(tree / "open")]})
    body = {"username": "bob", "password": PASSWORD, "roots": ["/"]}
    assert (await refusal_of(client, "POST", "auth/register", body)).status == 403
    await client.sign_in("ann", PASSWORD)
    assert await client.call("GET", "admin/roots") == {
        "roots": [str(tree / "open")],
        "fixed_by_settings": False,
    }


async def test_users_and_groups_have_roots_of_their_own(start: Callable[..., Serving], tree: Path) -> None:
    serving = start("--auth-registration", "open", "--documents-roots", str(tree))
    ada, bob = await new_user(serving), await new_user(serving)
    assert (await refusal_of(ada, "PUT", "admin/roots", {"roots": ["/"]})).status == 409
    bob_id = await _user_id(bob)
    await ada.call("PATCH", f"users/{bob_id}", {"roots": [str(tree / "legal"), "/nowhere"]})
    assert "outside" in await _refused(bob, tree / "open")
    collection, frames = await index(bob, tree / "legal")
    assert frames[-1]["status"] == "completed"
    assert set(await documents(bob, collection)) == {"legal.txt"}  # the link leads out of the user's roots

    group = await ada.call("POST", "groups", {"name": "Readers", "roots": [str(tree / "other")]})
    await ada.call("PUT", f"groups/{group['id']}/members/{bob_id}")
    await index(bob, tree / "other", "Others")
    scan = await bob.call("POST", f"collections/{collection}/append", {})
    assert [frame async for frame in bob.watch(scan["operation_id"])][-1]["status"] == "completed"
    assert set(await documents(bob, collection)) == {"legal.txt", "link.txt"}


async def test_configuration_and_data_folders_are_never_read(
    start: Callable[..., Serving], tree: Path
) -> None:
    config = tree / "open" / "semantik.toml"
    config.write_text('[auth]\nsecret = "0d4a7dbe66c7f1c4d0a1f9a1b6f3e2c5"\n')
    serving = start(env={"SEMANTIK_CONFIG": str(config)})
    client = await new_user(serving)
    other = tree / "other"
    for mark in ("instance", "lock"):
        (other / mark).touch()
    assert "never read" in await _refused(client, other)
    assert "never read" in await _refused(client, serving.data)
    collection, _ = await index(client, tree)
    found = await documents(client, collection)
    assert {"open.txt", "legal.txt"} <= set(found)
    assert not {"semantik.toml", "other.txt", "instance"} & {
        n for n, d in found.items() if d["status"] == "indexed"
    }


async def test_scans_need_the_scope_write(shared: Serving, tree: Path) -> None:
    user = await new_user(shared)
    _, reader = await make_key(user, scopes=["read"])
    _, writer = await make_key(user, scopes=["write"])
    body = {"path": str(tree / "open")}
    assert (await refusal_of(reader, "POST", "folders/languages", body)).status == 403
    await writer.call("POST", "folders/languages", body)
    path = f"/ws/scan/{uuid4()}"
    refused = await connect(shared, path, {"token": reader.token})
    assert await receive(refused) is None and "scope write" in (refused.close_reason or "")
    allowed = await connect(shared, path, {"token": writer.token})
    await allowed.write_message(json.dumps({"action": "scan", **body}))
    await until(allowed, "completed")


def test_a_data_folder_is_recognised_by_its_marks(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "mongo").mkdir(parents=True)
    assert may_be_read(data / "mongo" / "x", ("/",), ())
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for mark in ("instance", "lock"):
        (elsewhere / mark).touch()
    assert not may_be_read(elsewhere / "mongo" / "x", ("/",), ())
