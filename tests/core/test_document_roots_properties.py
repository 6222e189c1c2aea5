"""No path, however it is written, leads out of the folders that may be read or into those that never are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.property_tests import examples

from semantik.core.document_roots import may_be_read, resolve_source
from semantik.core.errors import Forbidden, Invalid

_NAMES = ["root", "root2", "in", "data", "out", "up", "down", "loop", "file", "missing", "é", "x" * 300]
_STEPS = st.sampled_from([*_NAMES, "..", ".", "", " ", "~"]) | st.text("ab.*\\\t\n\0", max_size=3)
_WAYS = st.lists(_STEPS, max_size=6).map("/".join)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """`root` may be read but for `root/data`; `root2` and `out` may not, though symlinks in `root` lead there."""
    top = tmp_path_factory.mktemp("tree").resolve()
    for folder in ("root/in/data", "root/data/in", "root2/in", "out/in"):
        (top / folder).mkdir(parents=True)
    for folder in ("root/in", "out"):
        (top / folder / "file").write_text("A text.")
    (top / "out" / "loop").symlink_to("loop")
    for place, target in {
        "root/in/out": top / "out",
        "root/up": "..",
        "root/down": "in",
        "root/in/root2": "../../root2",
        "root/in/loop": "loop",
        "out/down": top / "root" / "data",
        "root2/in/root": top / "root",
    }.items():
        (top / place).symlink_to(target)
    yield top


@examples(400)
@given(start=st.sampled_from(["root", "root/in", "root2", "out", ""]), way=_WAYS)
def test_a_folder_that_is_taken_is_below_a_root_and_in_none_of_the_others(
    tree: Path, start: str, way: str
) -> None:
    path = f"{tree}/{start}/{way}"
    allowed = _allowed(tree, path)
    try:
        found = resolve_source(path, [str(tree / "root")], [tree / "root" / "data"])
    except Forbidden:
        assert not allowed
    except Invalid:
        assert allowed or "\0" in path
    else:
        assert allowed
        assert str(found) == os.path.realpath(path)


@examples(200)
@given(start=st.sampled_from(["root", "root2", "out", ""]), way=_WAYS.filter(lambda way: "\0" not in way))
def test_a_file_may_be_read_exactly_if_its_real_path_is_below_a_root(
    tree: Path, start: str, way: str
) -> None:
    real = Path(os.path.realpath(f"{tree}/{start}/{way}"))
    taken = may_be_read(real, [str(tree / "root")], [tree / "root" / "data"])
    assert taken == _allowed(tree, str(real))


@examples(100)
@given(way=st.text(max_size=8))
def test_any_other_text_is_refused_with_a_sentence(tree: Path, way: str) -> None:
    with pytest.raises((Invalid, Forbidden), match=r"\.$"):
        resolve_source(way, [str(tree / "root")], [])


def _allowed(tree: Path, path: str) -> bool:
    """By the parts of the real path, and not by its text."""
    if "\0" in path:
        return False
    real = Path(os.path.realpath(path))
    forbidden = tree / "root" / "data"
    return tree / "root" in (real, *real.parents) and forbidden not in (real, *real.parents)
