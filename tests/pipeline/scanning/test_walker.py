"""Which folders may be read, and walks through real folder trees with every kind of entry."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.scanning import walker
from pipeline.scanning.walk_rules import WalkRules
from pipeline.scanning.walker import walk, walk_entries
from semantik.core.document_roots import resolve_source
from semantik.core.errors import Forbidden, Invalid
from semantik.core.scan_entries import FolderListing, FoundFile, ScanWarning, SkippedEntry


def _walk(root: Path, **rules: object) -> tuple[list[str], dict[str, str]]:
    """The files below `root` as relative paths, and the warnings by relative path."""
    listings = list(walk(root, WalkRules(**{"roots": ("/",), "exclude": (), **rules})))  # type: ignore[arg-type]
    files = [path.removeprefix(f"{root}/") for path, _, _ in _files(listings)]
    warnings = {e.path.removeprefix(f"{root}/"): e.message for each in listings for e in each.warnings}
    return files, warnings


def _files(listings: Iterable[FolderListing]) -> list[tuple[str, int, int]]:
    """(path, size, modified_ns) of each."""
    return [(each.path(name), *more) for each in listings for name, *more in each.files]


def _write(path: Path, text: str = "text") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_folder_is_resolved_through_its_symlinks(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert resolve_source(str(tmp_path / "link"), ["/"], []) == (tmp_path / "real").resolve()


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("a\0b", "NUL"),
        ("relative", "absolute"),
        ("{}/missing", "no folder"),
        ("{}/file", "not a folder"),
        ("{}/loop", "loop"),
        ("{}/" + "x" * 300, "too long"),
    ],
)
def test_paths_that_are_no_readable_folder_are_refused(tmp_path: Path, path: str, word: str) -> None:
    _write(tmp_path / "file")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(Invalid, match=f"(?i){word}"):
        resolve_source(path.format(tmp_path), ["/"], [])


@pytest.mark.parametrize("path", ["/proc", "/sys/kernel", "/dev/", "/run", "/etc/../proc"])
def test_system_folders_are_never_read(path: str) -> None:
    with pytest.raises(Forbidden, match="never read"):
        resolve_source(path, ["/"], [])


def test_paths_outside_the_roots_are_refused_whether_or_not_they_exist(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (inside / "link").symlink_to(outside)
    for path in (outside, outside / "missing", inside / "link", inside / ".." / "outside", Path("/")):
        with pytest.raises(Forbidden, match=r"documents\.roots"):
            resolve_source(str(path), [str(inside)], [])
    assert resolve_source(str(inside), [str(inside)], []) == inside.resolve()


def test_the_servers_data_folder_is_no_source_and_is_not_walked(tmp_path: Path) -> None:
    data = tmp_path / "data"
    _write(data / "inner" / "secret.txt")
    _write(tmp_path / "text.txt")
    (tmp_path / "side").symlink_to(data / "inner")
    with pytest.raises(Forbidden, match="never read"):
        resolve_source(str(data / "inner"), ["/"], [data])
    files, warnings = _walk(tmp_path, forbidden=(data,))
    assert files == ["text.txt"]
    assert "leads out" in warnings["side"]


def test_files_are_listed_in_a_fixed_order_with_size_and_time(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.MD", "a/b/deep", "c.tar.gz"):
        _write(tmp_path / name, name)
    assert _walk(tmp_path) == (["b.txt", "c.tar.gz", "a/z.MD", "a/b/deep"], {})
    os.utime(tmp_path / "a/z.MD", ns=(5, 1_700_000_000_123_456_789))
    rules = WalkRules(("/",), ())
    assert (str(tmp_path / "a/z.MD"), 6, 1_700_000_000_123_456_789) in _files(walk(tmp_path, rules))
    entries = {each.path: each for each in walk_entries(tmp_path, rules) if isinstance(each, FoundFile)}
    assert entries[str(tmp_path / "a/z.MD")].extension == ".md"


def test_excluded_names_give_no_warning_and_include_limits_the_files(tmp_path: Path) -> None:
    for name in (".git/config", "src/a.py", "src/b.txt", "src/b.txt~", "node_modules/x.py"):
        _write(tmp_path / name)
    assert _walk(tmp_path, exclude=(".git", "node_modules", "*~")) == (["src/a.py", "src/b.txt"], {})
    assert _walk(tmp_path, exclude=(".git", "node_modules"), include=("*.py",)) == (["src/a.py"], {})


def test_files_that_are_no_documents_are_passed_over_by_name_and_content(tmp_path: Path) -> None:
    kept = ["._really.txt", "Thumbs.db.txt", "alone.txt~", "letter.txt", "~$large.docx", "sub/note.md"]
    for name in kept:
        _write(tmp_path / name, "text" * 2000)
    for name in (
        ".DS_Store",
        "letter.txt~",
        "#letter.txt#",
        "~$letter.docx",
        ".~lock.letter.odt#",
        "x.crdownload",
    ):
        _write(tmp_path / name)
    for name in ("._letter.txt", "sub/._note.md"):
        (tmp_path / name).write_bytes(b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X")
    (tmp_path / "._damaged.pdf").write_bytes(bytes(120))
    (tmp_path / "._empty.pdf").touch()
    for folder in ("__MACOSX", "@eaDir", ".Trash-1000", "sub/$RECYCLE.BIN"):
        _write(tmp_path / folder / "inside.txt")
    (tmp_path / ".#letter.txt").symlink_to("ann@host.1234")
    assert _walk(tmp_path) == (kept, {})
    entries = list(walk_entries(tmp_path, WalkRules(("/",), ())))
    assert [each.path for each in entries if isinstance(each, FoundFile)] == [
        str(tmp_path / name) for name in kept
    ]
    assert not any(isinstance(each, ScanWarning) for each in entries)


def test_what_is_not_delivered_in_a_maildir_is_passed_over(tmp_path: Path) -> None:
    for name in ("mail/cur/1.a", "mail/new/2.a", "mail/tmp/3.a", "other/cur/4", "other/tmp/5"):
        _write(tmp_path / name)
    assert _walk(tmp_path)[0] == ["mail/cur/1.a", "mail/new/2.a", "other/cur/4", "other/tmp/5"]


def test_globs_with_a_slash_match_paths_relative_to_the_source(tmp_path: Path) -> None:
    names = ["top.txt", "a/b/tmp/d.txt", "docs/e.txt", "docs/drafts/f.txt", "drafts/c.txt", "tmp/g.txt"]
    for name in names:
        _write(tmp_path / name)
    assert _walk(tmp_path)[0] == ["top.txt", "a/b/tmp/d.txt", *names[2:]]
    assert _walk(tmp_path, exclude=("drafts/*", "**/tmp/*"))[0] == names[:1] + names[2:4]
    assert _walk(tmp_path, exclude=("/drafts", "tmp/"))[0] == names[:1] + names[2:4]
    assert _walk(tmp_path, include=("docs/*", "/*.txt"))[0] == ["top.txt", "docs/e.txt"]
    assert _walk(tmp_path, include=("drafts/",))[0] == ["docs/drafts/f.txt", "drafts/c.txt"]


def test_without_recursion_only_direct_files_are_listed(tmp_path: Path) -> None:
    for name in ("b.txt", "below/a.txt"):
        _write(tmp_path / name)
    (tmp_path / "below-link").symlink_to("below")
    (tmp_path / "deep.txt").symlink_to("below/a.txt")
    (tmp_path / "same.txt").symlink_to("b.txt")
    assert _walk(tmp_path, recursive=False) == (["b.txt", "deep.txt"], {})


def test_walk_entries_yields_every_entry(tmp_path: Path) -> None:
    for name in ("a.txt", "below/b.txt", ".git/config", "c.pdf"):
        _write(tmp_path / name)
    entries = list(walk_entries(tmp_path, WalkRules(("/",), (".git",), include=("*.txt",))))
    kinds = {each.path.removeprefix(f"{tmp_path}/"): type(each) for each in entries}
    assert kinds == {
        ".git": SkippedEntry,
        "a.txt": FoundFile,
        "below": SkippedEntry,
        "below/b.txt": FoundFile,
        "c.pdf": SkippedEntry,
    }
    assert len(entries) == len(kinds)


def test_a_huge_folder_is_read_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    @contextmanager
    def listing(folder: str) -> Iterator[Iterator[os.DirEntry[str]]]:
        with real_scandir(folder) as entries:
            yield (read.append(entry.name) or entry for entry in entries)  # type: ignore[func-returns-value]

    for number in range(95):
        (tmp_path / f"{number:02}.txt").touch()
    real_scandir = os.scandir
    monkeypatch.setattr(walker, "_ENTRIES_AT_ONCE", 10)
    monkeypatch.setattr(walker.os, "scandir", listing)
    walking = walk_entries(tmp_path, WalkRules(("/",), ()))
    paths = [next(walking).path]
    assert len(read) == 10
    paths += [each.path for each in walking]
    assert len(set(paths)) == len(paths) == 95
    assert [path for path, _, _ in _files(walk(tmp_path, WalkRules(("/",), ())))] == sorted(paths)


def test_entries_other_than_files_give_warnings(tmp_path: Path) -> None:
    _write(tmp_path / "good.txt")
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
    (tmp_path / "device").symlink_to("/dev/null")
    (tmp_path / "broken").symlink_to("nowhere")
    (tmp_path / "self").symlink_to("self")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt")).write_text("x")
    files, warnings = _walk(tmp_path)
    assert files == ["good.txt"]
    assert set(warnings) == {"fifo", "socket", "device", "broken", "self", "caf\\xe9.txt"}
    assert "a FIFO" in warnings["fifo"]
    assert "a socket" in warnings["socket"]
    assert "nowhere" in warnings["broken"]
    assert "UTF-8" in warnings["caf\\xe9.txt"]


def test_symlink_loops_end_and_each_file_is_listed_once(tmp_path: Path) -> None:
    _write(tmp_path / "docs" / "text.txt")
    (tmp_path / "docs" / "up").symlink_to(tmp_path)
    (tmp_path / "again").symlink_to("docs")
    (tmp_path / "a-link.txt").symlink_to("docs/text.txt")
    os.link(tmp_path / "docs" / "text.txt", tmp_path / "hard.txt")
    files, warnings = _walk(tmp_path)
    assert len(files) == 1
    assert warnings == {}


def test_a_file_linked_from_elsewhere_is_listed_once_under_the_link_name(tmp_path: Path) -> None:
    target = _write(tmp_path / "elsewhere" / "text.txt")
    source = tmp_path / "source"
    source.mkdir()
    (source / "one.txt").symlink_to(target)
    (source / "two.txt").symlink_to(target)
    assert _walk(source) == (["one.txt"], {})
    files, warnings = _walk(source, roots=(str(source),))
    assert files == []
    assert set(warnings) == {"one.txt", "two.txt"}


def test_a_folder_is_listed_under_its_own_name_rather_than_a_link(tmp_path: Path) -> None:
    _write(tmp_path / "docs" / "text.txt")
    (tmp_path / "again").symlink_to("docs")
    assert _walk(tmp_path) == (["docs/text.txt"], {})
    assert _walk(tmp_path, exclude=("docs",)) == (["again/text.txt"], {})


def test_a_linked_folder_with_links_inside_is_listed_once(tmp_path: Path) -> None:
    _write(tmp_path / "elsewhere" / "text.txt")
    (tmp_path / "elsewhere" / "twin.txt").symlink_to("text.txt")
    (tmp_path / "elsewhere" / "loop").symlink_to(".")
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "source" / "second").symlink_to(tmp_path / "elsewhere")
    assert _walk(tmp_path / "source") == (["link/text.txt"], {})


def test_a_link_to_a_file_in_an_excluded_folder_is_listed(tmp_path: Path) -> None:
    _write(tmp_path / ".hidden" / "text.txt")
    (tmp_path / "shown.txt").symlink_to(".hidden/text.txt")
    assert _walk(tmp_path, exclude=(".hidden",)) == (["shown.txt"], {})


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder that everybody may enter, read by a user other than root."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    (folder / "good.txt").write_text("text")
    (folder / "shut").mkdir(mode=0)
    root = os.geteuid() == 0
    os.seteuid(65534 if root else os.geteuid())
    yield folder
    os.seteuid(0 if root else os.geteuid())
    (folder / "shut").chmod(0o700)
    shutil.rmtree(folder)


def test_a_folder_without_permission_gives_a_warning(unprivileged: Path) -> None:
    files, warnings = _walk(unprivileged)
    assert files == ["good.txt"]
    assert "Permission denied" in warnings["shut"]
    with pytest.raises(Invalid, match="permission"):
        resolve_source(str(unprivileged / "shut"), ["/"], [])


def test_a_folder_deleted_during_the_walk_gives_a_warning(tmp_path: Path) -> None:
    _write(tmp_path / "a.txt")
    (tmp_path / "gone").mkdir()
    walking = walk(tmp_path, WalkRules(("/",), ()))
    assert [name for name, _, _ in next(walking).files] == ["a.txt"]
    (tmp_path / "gone").rmdir()
    [warning] = next(walking).warnings
    assert warning.path == str(tmp_path / "gone")
    assert warning.message == "The folder cannot be read: No such file or directory."
