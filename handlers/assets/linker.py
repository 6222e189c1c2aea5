"""Links the ES modules of the page into few files: one for the shell, one for each view that is loaded on demand.

Each module becomes a function of its own, called once, in the order in which the modules need each other. Linked is
the part of the language that the page's modules use: `import {a, b as c} from "./x.js"`, `import * as x from "./x.js"`,
`import("./x.js")`, and `export` before a function, a class or one constant. Anything else is refused. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

SHARED = "shared.js"  # what several views need, and the shell does not

_IMPORT = re.compile(r'^import (\{[^}]*\}|\* as [\w$]+) from "\./([\w-]+\.js)";$', re.MULTILINE)
_LAZY = re.compile(r'\bimport\("\./([\w-]+\.js)"\)')
_EXPORT = re.compile(r"^export ((?:async function\*?|function\*?|class|const) ([\w$]+)\b)", re.MULTILINE)
_RENAMED = re.compile(r"([\w$]+) as ([\w$]+)")
_OTHER = re.compile(r"^(?:import\b(?!\()|export\b).*", re.MULTILINE)


class LinkError(ValueError):
    """A module uses what cannot be linked."""


@dataclass(frozen=True)
class Module:
    """`body` has no import and no export; `imports` are the names of modules, and what is taken of each."""

    name: str
    body: str
    imports: tuple[tuple[str, str], ...]
    lazy: frozenset[str]
    exports: tuple[str, ...]

    @property
    def variable(self) -> str:
        return "$" + re.sub(r"\W", "_", self.name.removesuffix(".js"))

    @property
    def needs(self) -> list[str]:
        return [name for name, _ in self.imports]


@dataclass
class _Chunk:
    name: str
    modules: list[Module] = field(default_factory=list)


def link(sources: Mapping[str, str], entry: str) -> dict[str, str]:
    """The files that stand for the modules reachable from `entry`, by name; those loaded on demand keep their names."""
    modules = {name: _parse(name, text) for name, text in sources.items()}
    order = _ordered(modules, entry)
    lazy = sorted({each for name in order for each in modules[name].lazy})
    reached = {name: _closure(modules, name) for name in (entry, *lazy)}
    chunks = {name: _Chunk(name) for name in (entry, SHARED, *lazy)}
    home: dict[str, str] = {}
    for name in order:
        users = [one for one in (entry, *lazy) if name in reached[one]]
        home[name] = entry if entry in users else users[0] if len(users) == 1 else SHARED
        chunks[home[name]].modules.append(modules[name])
    return {
        name: _text(chunk, modules, home) for name, chunk in chunks.items() if chunk.modules or name in lazy
    }


def _parse(name: str, text: str) -> Module:
    imports = tuple((target, what) for what, target in _IMPORT.findall(text))
    exports = tuple(found for _, found in _EXPORT.findall(text))
    body = _EXPORT.sub(r"\1", _IMPORT.sub("", text))
    if other := _OTHER.search(body):
        raise LinkError(f"{name}: this cannot be linked: {other[0]}")
    return Module(name, body.strip(), imports, frozenset(_LAZY.findall(body)), exports)


def _ordered(modules: Mapping[str, Module], entry: str) -> list[str]:
    """All modules that are reached from `entry`, also on demand, each after those that it needs."""
    done: dict[str, bool] = {}
    order: list[str] = []

    def visit(name: str, user: str) -> None:
        if name not in modules:
            raise LinkError(f"{user} imports {name}, which does not exist.")
        if name in done:
            if not done[name]:
                raise LinkError(f"{user} and {name} import each other.")
            return
        done[name] = False
        for each in modules[name].needs:
            visit(each, name)
        done[name] = True
        order.append(name)

    waiting = [entry]
    while waiting:
        visit(waiting.pop(), entry)
        waiting += sorted({lazy for name in order for lazy in modules[name].lazy} - done.keys())
    return order


def _closure(modules: Mapping[str, Module], name: str) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += modules[each].needs
    return found


def _text(chunk: _Chunk, modules: Mapping[str, Module], home: Mapping[str, str]) -> str:
    needed = {name for module in chunk.modules for name in module.needs}
    entry = modules.get(chunk.name)
    if entry is not None:
        needed.add(entry.name)
    lines = _chunk_imports(chunk.name, needed, modules, home)
    lines += [_wrapped(module, modules) for module in chunk.modules]
    if chunk.modules:
        lines.append(f"export {{ {', '.join(module.variable for module in chunk.modules)} }};")
    if entry is not None and entry.exports:
        lines.append(f"export const {{ {', '.join(entry.exports)} }} = {entry.variable};")
    return "\n".join(lines) + "\n"


def _chunk_imports(
    name: str, needed: Iterable[str], modules: Mapping[str, Module], home: Mapping[str, str]
) -> list[str]:
    by_chunk: dict[str, list[str]] = {}
    for each in sorted(needed):
        if home[each] != name:
            by_chunk.setdefault(home[each], []).append(modules[each].variable)
    return [f'import {{ {", ".join(names)} }} from "./{chunk}";' for chunk, names in sorted(by_chunk.items())]


def _wrapped(module: Module, modules: Mapping[str, Module]) -> str:
    takes = [_take(what, modules[name].variable) for name, what in module.imports]
    gives = f"return {{ {', '.join(module.exports)} }};"
    return "\n".join([f"const {module.variable} = (() => {{", *takes, module.body, gives, "})();"])


def _take(what: str, variable: str) -> str:
    if what.startswith("*"):
        return f"const {what.removeprefix('* as ')} = {variable};"
    names = _RENAMED.sub(r"\1: \2", " ".join(what.split()))
    return f"const {names} = {variable};"
