"""Whatever a setting is given, it is taken as a value of its type or refused with its name."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support.property_tests import examples

from semantik.config.loader import Entry, entries, is_secret, load
from semantik.core.errors import ConfigError

_ENTRIES = st.sampled_from(entries())
_TEXT = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(
    [
        "",
        "0",
        "-1",
        "5",
        "0.5",
        "1e400",
        "nan",
        "inf",
        "true",
        "/",
        "~",
        "~nobody-has-this-name",
        "a,b",
        "٣",
        "1_0",
    ]
)
_VALUE = st.none() | st.booleans() | st.integers(-2, 10**7) | st.integers() | st.floats() | _TEXT
_TOML = _VALUE | st.lists(_VALUE, max_size=3) | st.dictionaries(_TEXT, _VALUE, max_size=1)


def _given(
    entry: Entry, *, environ: dict[str, str] | None = None, flags: dict[str, Any] | None = None
) -> Any:
    """The setting as it was taken; None when it was refused, with its name."""
    try:
        found: Any = load(environ=environ or {}, overrides=flags)
    except ConfigError as error:
        assert entry.name in str(error)
        return None
    for name in entry.name.split("."):
        found = getattr(found, name)
    return found


@examples(500)
@given(entry=_ENTRIES, value=_TOML)
def test_any_value_is_taken_as_one_of_its_type_or_refused(entry: Entry, value: Any) -> None:
    found = _given(entry, flags={entry.name: value})
    if found is not None:
        assert isinstance(found, tuple if entry.type == tuple[str, ...] else entry.type)
        assert _given(entry, flags={entry.name: found}) == found


@examples(300)
@given(
    entry=_ENTRIES.filter(lambda entry: not is_secret(entry.name)),
    text=_TEXT.filter(lambda text: "\0" not in text),
)
def test_a_text_means_the_same_in_the_environment_and_on_the_command_line(entry: Entry, text: str) -> None:
    assert _given(entry, environ={entry.env: text}) == _given(entry, flags={entry.name: text})


@examples(200)
@given(entry=_ENTRIES)
def test_every_default_is_taken(entry: Entry) -> None:
    assert _given(entry, flags={entry.name: entry.default}) == entry.default
