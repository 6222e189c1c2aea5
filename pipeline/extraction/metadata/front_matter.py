"""The block of metadata before a Markdown text: YAML between lines of ---, or TOML between lines of +++. Pure.

Runs in the worker processes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pipeline.extraction.metadata.stated import Stated, from_fields

_YAML = re.compile(r"\A\ufeff?---[ \t]*\r?\n((?:.*\n){0,200}?)(?:---|\.\.\.)[ \t]*\r?(?:\n|\Z)")
_TOML = re.compile(r"\A\ufeff?\+\+\+[ \t]*\r?\n((?:.*\n){0,200}?)\+\+\+[ \t]*\r?(?:\n|\Z)")
_LINE = re.compile(r"^([A-Za-z]+):[ \t]*(.+?)[ \t]*\r?$", re.MULTILINE)


def front_matter(text: str) -> Stated:
    """What the front matter of a text states; nothing where there is none."""
    if found := _YAML.match(text):
        fields = yaml_fields(found[1])
        if fields is None:  # people write what is no YAML: `title: Notes: a summary`
            fields = {name: _plain(value) for name, value in _LINE.findall(found[1])}
        return from_fields(fields)
    if found := _TOML.match(text):
        return from_fields(toml_fields(found[1]) or {})
    return Stated()


def _plain(value: str) -> str:
    """A text without its quotes, or the items of a list between commas; nothing of what is more than that."""
    if value.startswith("[") and value.endswith("]"):
        value = value[1:-1].replace('"', "").replace("'", "")
    return "" if value.startswith(("[", "{")) else value.strip("\"' ")


def yaml_fields(text: str) -> Mapping[Any, Any] | None:
    """The fields of a YAML mapping; None for anything else."""
    import yaml

    try:
        # The loader of libyaml only makes plain values; an alias is a second reference, never a copy.
        fields = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError):  # no such date, too many digits, too deep
        return None
    return fields if isinstance(fields, dict) else None


def toml_fields(text: str) -> Mapping[Any, Any] | None:
    """The fields of a TOML text and, below them, those of its table `taxonomies`; None if it is none."""
    import tomllib

    try:
        fields = tomllib.loads(text.replace("\r\n", "\n"))
    except (tomllib.TOMLDecodeError, ValueError, RecursionError):
        return None
    taxonomies = fields.get("taxonomies")
    return {**taxonomies, **fields} if isinstance(taxonomies, dict) else fields
