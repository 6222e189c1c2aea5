"""Schemathesis as a command on a server of ours, with what it needs to know of it: `World`."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from support.openapi import Json, document, resolved
from support.patience import patience
from support.server import ROOT, Serving

_CONFIG = Path(__file__).with_suffix("").with_name("schemathesis.toml")
_CHANGING = ("post", "patch", "put", "delete")
_RUN_S = 300.0


@dataclass(frozen=True)
class World:
    """What there is on the server: users, their password, folders that may be indexed, and ids by parameter.

    `other` is a user whose sessions may end, by the operations `ending`; nothing changes the accounts `lasting`.
    `kept` are what requests read, `spare` what they may change or delete.
    """

    username: str
    other: str
    password: str
    folders: list[str]
    kept: Mapping[str, object]
    spare: Mapping[str, object]
    lasting: list[str]
    ending: tuple[str, ...]


def schemathesis(serving: Serving, world: World, folder: Path, *arguments: str) -> str:
    """Run it; returns what it reports, or raises AssertionError with that when it found something."""
    described = folder / "openapi.json"
    described.write_text(json.dumps(_described(world)))
    known = folder / "world.json"
    known.write_text(json.dumps({**asdict(world), "url": serving.url}))
    command = [
        Path(sys.executable).with_name("st"),
        "--config-file",
        _CONFIG,
        "run",
        described,
        "--url",
        serving.url,
    ]
    environment = {
        **os.environ,
        "WORLD": str(known),
        "SCHEMATHESIS_HOOKS": "support.schemathesis_hooks",
        "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}",
        "NO_COLOR": "1",
    }
    done = subprocess.run(
        [*map(str, command), *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=patience(_RUN_S),
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def _described(world: World) -> Json:
    """The document with ids of what there is as its examples, and with answers that may have no other fields."""
    described = copy.deepcopy(document())
    for methods in described["paths"].values():
        for method, operation in methods.items():
            ids = world.spare if method in _CHANGING else world.kept
            for place, parameter in enumerate(operation.get("parameters", [])):
                inline = resolved(parameter)
                if inline["in"] == "path" and inline["name"] in ids:
                    operation["parameters"][place] = {**inline, "example": ids[inline["name"]]}
    _close(described["components"]["schemas"])
    return described


def _close(schemas: Json) -> None:
    """Allow an object only the fields that are described; not one that others extend."""
    text = json.dumps(schemas)
    for name, schema in schemas.items():
        if f'"allOf": [{{"$ref": "#/components/schemas/{name}"}}]' not in text:
            _close_objects(schema)


def _close_objects(node: object) -> None:
    if isinstance(node, list):
        for each in node:
            _close_objects(each)
    elif isinstance(node, dict):
        if "properties" in node and "additionalProperties" not in node:
            node["unevaluatedProperties"] = False
        for each in node.values():
            _close_objects(each)
