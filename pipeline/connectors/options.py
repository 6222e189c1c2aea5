"""Checks what a client sends as the options of a source against its connector's fields. Pure; repeats no secret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.connectors.protocol import Field, Options
from semantik.core.errors import Invalid

_MAX_TEXT = 4096
_MAX_ITEMS = 200


def checked(fields: Sequence[Field], given: Mapping[str, object]) -> Options:
    """The value of each field: the given one, or its default. Raises Invalid."""
    known = {field.name: field for field in fields}
    if unknown := sorted(given.keys() - known.keys()):
        raise Invalid(f"options.{unknown[0][:60]} is not known here; known are " + ", ".join(known) + ".")
    return {name: _value(field, given.get(name)) for name, field in known.items()}


def without_secrets(fields: Sequence[Field], options: Options) -> dict[str, object]:
    secret = {field.name for field in fields if field.type == "secret"}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in options.items()
        if name not in secret
    }


def secrets_of(fields: Sequence[Field], options: Options) -> dict[str, str]:
    """The secret options that are not empty."""
    secret = [field.name for field in fields if field.type == "secret"]
    return {name: str(options[name]) for name in secret if options.get(name)}


def _value(field: Field, value: object) -> object:
    if field.type == "list":
        return _texts(field, () if value is None else value)
    if field.type == "integer":
        return _integer(field, field.default if value is None else value)
    text = _text(field, field.default if value is None else value)
    if field.required and not text:
        raise Invalid(f"options.{field.name} is missing: {field.label} is needed.")
    if field.type == "choice" and text not in field.choices:
        raise Invalid(f"options.{field.name} is not allowed: one of {', '.join(field.choices)} is expected.")
    return text


def _text(field: Field, value: object) -> str:
    if not isinstance(value, str) or len(value) > _MAX_TEXT or not _is_one_line(value):
        raise Invalid(
            f"options.{field.name} is not allowed: a text of one line and at most {_MAX_TEXT} characters is expected."
        )
    return value if field.type == "secret" else value.strip()


def _texts(field: Field, value: object) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or len(value) > _MAX_ITEMS:
        raise Invalid(
            f"options.{field.name} is not allowed: a list of at most {_MAX_ITEMS} texts is expected."
        )
    return tuple(text for each in value if (text := _text(field, each)))


def _integer(field: Field, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not field.low <= value <= field.high:
        raise Invalid(
            f"options.{field.name} is not allowed: a whole number from {field.low} to {field.high} is expected."
        )
    return value


def _is_one_line(text: str) -> bool:
    """Whether no character of the text could end a line of a protocol, and all can be encoded."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return not any(char < " " or char == "\x7f" for char in text)
