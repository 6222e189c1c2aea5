"""Globs match what a plain matcher with backtracking does, and no text makes them fail otherwise than as invalid."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from support.property_tests import examples

from semantik.core.errors import Invalid
from semantik.core.globs import Globs

_NAME = st.text("ab.-", min_size=1, max_size=4).filter(lambda name: name not in (".", ".."))
_PATH = st.lists(_NAME, min_size=1, max_size=4).map("/".join)
_PART = st.text("ab.-*?", min_size=1, max_size=5).filter(lambda part: part not in (".", ".."))
_GLOB = st.lists(_PART | st.just("**"), min_size=1, max_size=4).map("/".join)


@examples(500)
@given(glob=_GLOB, path=_PATH, folder=st.booleans(), only_folders=st.booleans())
def test_globs_match_as_a_plain_matcher_does(glob: str, path: str, folder: bool, only_folders: bool) -> None:
    found = Globs([glob + "/" * only_folders]).match(path, folder)
    parts = path.split("/")
    expected = _parts(glob.split("/"), parts) if "/" in glob else _name(glob, parts[-1])
    assert found == (expected and (folder or not only_folders))


@examples(300)
@given(globs=st.lists(st.text("ab/*?[]!^-\\.é\n", max_size=8), max_size=4), path=_PATH)
def test_a_list_of_globs_matches_if_one_of_them_does(globs: list[str], path: str) -> None:
    usable = [glob for glob in globs if _is_usable(glob)]
    assert Globs(usable).match(path) == any(Globs([glob]).match(path) for glob in usable)


def _is_usable(glob: str) -> bool:
    try:
        Globs([glob])
    except Invalid as error:
        assert repr(glob) in str(error)
        return False
    return True


def _parts(globs: list[str], parts: list[str]) -> bool:
    if not globs:
        return not parts
    if globs == ["**"]:
        return bool(parts)
    if globs[0] == "**":
        return any(_parts(globs[1:], parts[at:]) for at in range(len(parts) + 1))
    return bool(parts) and _name(globs[0], parts[0]) and _parts(globs[1:], parts[1:])


def _name(glob: str, name: str) -> bool:
    """`glob` has only `*` and `?`; a name is never empty."""
    if not glob:
        return not name
    if glob[0] == "*":
        return any(_name(glob[1:], name[at:]) for at in range(len(name) + 1))
    return bool(name) and glob[0] in ("?", name[0]) and _name(glob[1:], name[1:])
