"""The connector for git against `git http-backend`: what is fetched, and again, and after a crash at any point."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fetched_source import FetchedSource
from support.git_server import PASSWORD, USER, GitServer, Repository, git_server

from pipeline.connectors.protocol import ConnectorError

pytestmark = pytest.mark.gen_test


@pytest.fixture(scope="module")
def git(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    with git_server(tmp_path_factory.mktemp("git")) as server:
        yield server


@pytest.fixture
def handbook(git: GitServer, request: pytest.FixtureRequest) -> Repository:
    repository = git.repository(re.sub(r"\W+", "-", request.node.name))
    repository.commit(
        "Begin the handbook", {"tides.md": "The tide rises.", "a/b/fog.txt": "The horn sounds."}
    )
    repository.commit("Describe the lamps", {"a/lamps.md": "The lamps burn.", "code.py": "print()"})
    return repository


async def test_only_what_has_changed_is_fetched_and_what_is_gone_is_removed(
    git: GitServer, handbook: Repository, tmp_path: Path
) -> None:
    source = FetchedSource(tmp_path / "data", "git", {"url": handbook.url, "include": ["*.md", "a/b/"]})
    assert await source.scan() == {
        "tides.md": "The tide rises.",
        "a/b/fog.txt": "The horn sounds.",
        "a/lamps.md": "The lamps burn.",
    }
    assert source.origins["tides.md"]["subject"] == "Begin the handbook"
    assert source.origins["a/lamps.md"]["author"] == "Ada Keeper"

    requests = git.requests
    assert len(await source.scan()) == 3 and source.fetched == 0
    assert git.requests - requests <= 2  # the references only

    commit = handbook.commit(
        "Spring", {"tides.md": "Spring tides.", "a/b/fog.txt": None, "new.md": "A comet."}
    )
    assert await source.scan() == {
        "tides.md": "Spring tides.",
        "new.md": "A comet.",
        "a/lamps.md": "The lamps burn.",
    }
    assert source.fetched == 2
    assert source.origins["tides.md"]["commit"] == commit
    assert source.origins["a/lamps.md"]["subject"] == "Describe the lamps"

    handbook.commit("Begin anew", {"new.md": None, "tides.md": "Neap tides."}, force=True)
    assert await source.scan() == {"tides.md": "Neap tides.", "a/lamps.md": "The lamps burn."}


@pytest.mark.parametrize("failpoint", ["fetching.kept:1", "fetching.kept:3", "fetching.finished"])
async def test_after_a_crash_nothing_is_lost_or_kept_twice(
    handbook: Repository, tmp_path: Path, failpoint: str
) -> None:
    source = FetchedSource(tmp_path / "data", "git", {"url": handbook.url})
    source.scan_that_dies(failpoint)
    before = await source.scan()
    assert set(before) == {"tides.md", "a/b/fog.txt", "a/lamps.md", "code.py"}

    base = handbook.commit("Change", {name: f"New {name}" for name in before})
    source.scan_that_dies(failpoint)
    assert base
    after_crash = await source.scan()
    assert after_crash == {name: f"New {name}" for name in before}

    # What was changed while a crash had left half of a change is as it was before.
    handbook.commit("Change again", {name: f"Newer {name}" for name in before})
    source.scan_that_dies("fetching.kept:2")
    handbook.commit("And back", {name: f"New {name}" for name in before})
    assert await source.scan() == after_crash


async def test_another_branch_is_another_source_and_a_missing_one_is_named(
    handbook: Repository, tmp_path: Path
) -> None:
    handbook.commit("Draft", {"draft.md": "Not yet."}, branch="drafts/summer")
    source = FetchedSource(tmp_path / "data", "git", {"url": handbook.url, "branch": "drafts/summer"})
    assert source.source.path == f"{handbook.url}@drafts%2Fsummer"
    assert "draft.md" in await source.scan()
    absent = FetchedSource(tmp_path / "other", "git", {"url": handbook.url, "branch": "absent"})
    with pytest.raises(ConnectorError, match="no such branch"):
        await absent.scan()


async def test_a_password_is_sent_and_stands_in_no_file(
    git: GitServer, handbook: Repository, tmp_path: Path
) -> None:
    git.private = True
    try:
        with pytest.raises(ConnectorError, match="asks for a user and a password"):
            await FetchedSource(tmp_path / "data", "git", {"url": handbook.url}).scan()
        options = {"url": handbook.url, "username": USER, "password": PASSWORD}
        source = FetchedSource(tmp_path / "data", "git", options)
        assert len(await source.scan()) == 4
    finally:
        git.private = False
    assert PASSWORD not in str(source.source)
    files = [each.read_bytes() for each in (tmp_path / "data").rglob("*") if each.is_file()]
    assert files and not any(PASSWORD.encode() in each for each in files)


async def test_links_out_of_the_repository_and_too_much_are_not_fetched(
    handbook: Repository, tmp_path: Path
) -> None:
    handbook.link("passwords.txt", "/etc/passwd")
    handbook.commit("Add a link", {"x.md": "x" * 3000})
    source = FetchedSource(tmp_path / "data", "git", {"url": handbook.url})
    assert "passwords.txt" not in await source.scan()
    assert "1 entries of the repository were left out" in source.warnings[0]
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "4d" * 32 + "\nsize 12345\n"
    handbook.commit("Add a film", {"film.pdf": pointer, "about.md": "version control"})
    found = await source.scan()
    assert "film.pdf" not in found and found["about.md"] == "version control"
    assert "1 files of the repository are in Git LFS" in source.warnings[0]
    handbook.commit("Add a book", {f"book-{each}.txt": "y" * (700 << 10) for each in range(3)})
    small = FetchedSource(tmp_path / "small", "git", {"url": handbook.url}, max_source_bytes=1 << 20)
    with pytest.raises(ConnectorError, match="max_source_bytes"):
        await small.scan()


async def test_a_private_address_is_reached_only_where_it_is_allowed(
    handbook: Repository, tmp_path: Path
) -> None:
    source = FetchedSource(tmp_path / "data", "git", {"url": handbook.url}, private_networks=("10.0.0.0/8",))
    with pytest.raises(ConnectorError, match="may not reach"):
        await source.scan()


async def test_a_git_that_was_killed_leaves_no_lock(handbook: Repository, tmp_path: Path) -> None:
    source = FetchedSource(tmp_path / "data", "git", {"url": handbook.url})
    before = await source.scan()
    (source.folder / "work/refs/semantik/head.lock").write_text("")
    handbook.commit("Go on", {"new.md": "A comet."})
    assert await source.scan() == {**before, "new.md": "A comet."}


async def test_what_is_damaged_on_the_disk_is_fetched_again(handbook: Repository, tmp_path: Path) -> None:
    source = FetchedSource(tmp_path / "data", "git", {"url": handbook.url})
    before = await source.scan()
    for path in source.folder.glob("items.sqlite*"):
        path.write_bytes(b"no database at all" * 100)
    assert await source.scan() == before and source.fetched == len(before)
