"""Listens to every command that is sent to MongoDB, and warns of what docs/reference/mongodb.md does not list.

Light servers and the tests' own process have it. A warning in their logs fails a test.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import monitoring

from semantik.storage import mongo

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "mongodb.md"

# What a driver adds to each command: who asks in which session, when, and for how long.
_OF_THE_DRIVER = {"$db", "$clusterTime", "$readPreference", "lsid", "txnNumber", "maxTimeMS"}
_OF_THE_USER = {"$set", "$setOnInsert", "$literal"}  # operators whose values are rows of the application
_ROWS = {"insert": {"documents"}}
_log = logging.getLogger("tests.mongo_commands")


def used(name: str, command: Mapping[str, Any]) -> Iterator[str]:
    """The words of a command: its name, its options as `name.option`, and its operators and variables."""
    yield name
    for option, value in command.items():
        if option in _OF_THE_DRIVER or option == name:
            continue
        yield f"{name}.{option}"
        if option not in _ROWS.get(name, ()):
            yield from _operators(value)


def listed(page: str) -> set[str]:
    """The words in the tables of the page, in the same form."""
    found = set()
    for row in re.findall(r"^\| `(\w+)` \|(.*)\|$", page, re.MULTILINE):
        command, options = row[0], row[1].split("|")[0]
        found |= {command, *(f"{command}.{option}" for option in re.findall(r"`([\w.]+)`", options))}
    return found | set(re.findall(r"`(\${1,2}\w+)`", page))


def _operators(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key.startswith("$"):
                yield key
            if key not in _OF_THE_USER:
                yield from _operators(inner)
    elif isinstance(value, list):
        if value and not isinstance(value[0], (str, int)):  # keys by the thousand have no operators
            for inner in value:
                yield from _operators(inner)
    elif isinstance(value, str) and value.startswith("$$"):
        yield value


class CommandListener(monitoring.CommandListener):
    """`seen` are the words of all commands so far."""

    def __init__(self) -> None:
        self.seen: set[str] = set()

    @cached_property
    def _listed(self) -> set[str]:
        """Read late: an isolated worker, which imports the tests of what it runs, may not read the page."""
        return listed(PAGE.read_text())

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name.startswith("sasl"):
            return
        new = set(used(event.command_name, event.command)) - self.seen
        self.seen |= new
        if unlisted := sorted(new - self._listed):
            _log.warning("docs/reference/mongodb.md does not list what is used: %s", ", ".join(unlisted))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        pass


listener = CommandListener()


def listen() -> None:
    """To all stores that this process opens from now on, and to no other client."""
    mongo.AsyncIOMotorClient = partial(AsyncIOMotorClient, event_listeners=[listener])  # type: ignore[misc]
