"""Links the ES modules of the page into few files: one for the shell, one for each view that is loaded on demand.

Each module becomes a function of its own, called once, in the order in which the modules need each other. Linked is
the part of the language that the page's modules use: `import {a, b as c} from "./x.js"`, `import * as x from "./x.js"`,
`import("./x.js")`, and `export` before a function, a class or one constant. Anything else is refused. Comments on
lines of their own and indentation are left out. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

_OWN_FILE = 8 * 1024  # characters that the same views share, from which on they have a file of their own

_IMPORT = re.compile(r'^import (\{[^}]*\}|\* as [\w$]+) from "\./([\w-]+\.js)";$', re.MULTILINE)
_LAZY = re.compile(r'\bimport\("\./([\w-]+\.js)"\)')
_EXPORT = re.compile(r"^export ((?:async function\*?|function\*?|class|const) ([\w$]+)\b)", re.MULTILINE)
_RENAMED = re.compile(r"([\w$]+) as ([\w$]+)")
_COMMENT = re.compile(r"^[ \t]*(?://.*|/\*(?:[^*]|\*(?!/))*\*/[ \t]*)$\n?", re.MULTILINE)
_MARGIN = re.compile(r"^[ \t]+|[ \t]+$|^\n", re.MULTILINE)
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
    home = _homes(modules, order, entry, lazy)
    chunks = {name: _Chunk(name) for name in (entry, *sorted(set(home.values())), *lazy)}
    for name in order:
        chunks[home[name]].modules.append(modules[name])
    needed = {
        name: {home[each] for each in _needs(chunk, modules)} - {name} for name, chunk in chunks.items()
    }
    return {name: _text(chunk, modules, home, needed) for name, chunk in chunks.items()}


def _homes(
    modules: Mapping[str, Module], order: Sequence[str], entry: str, lazy: Sequence[str]
) -> dict[str, str]:
    """The file of each module: its own if it is loaded on demand, or its only user's.

    What several need is in the shell's, or in a file of its own if that is much.
    """
    reached = {name: _closure(modules, name) for name in (entry, *lazy)}
    together: dict[tuple[str, ...], list[str]] = {}
    for name in order:
        users = tuple(one for one in lazy if name in reached[one])
        if name in reached[entry]:
            users = (entry,)
        elif name in users:
            users = (name,)
        together.setdefault(users, []).append(name)
    homes = dict.fromkeys(reached[entry], entry)
    for users, names in together.items():
        much = sum(len(modules[name].body) for name in names) >= _OWN_FILE
        # Then the shell would load that file, too.
        elsewhere = any(
            homes.get(need) != entry for name in names for need in modules[name].needs if need not in names
        )
        if len(users) == 1:
            home = users[0]
        elif much or elsewhere:
            home = f"shared-{len({one for one in homes.values() if one.startswith('shared-')}) + 1}.js"
        else:
            home = entry
        homes |= dict.fromkeys(names, home)
    return homes


def _parse(name: str, text: str) -> Module:
    imports = tuple((target, what) for what, target in _IMPORT.findall(text))
    exports = tuple(found for _, found in _EXPORT.findall(text))
    body = _EXPORT.sub(r"\1", _IMPORT.sub("", text))
    if other := _OTHER.search(body):
        raise LinkError(f"{name}: this cannot be linked: {other[0]}")
    return Module(name, _squeezed(name, body), imports, frozenset(_LAZY.findall(body)), exports)


def _squeezed(name: str, body: str) -> str:
    """Without comments that have lines of their own, and without indentation.

    Done line by line, which is safe as long as no literal goes over several lines; a module that has one is refused.
    """
    body = _COMMENT.sub("", body)
    for line in body.splitlines():
        if line.count("`") % 2 or line.endswith("\\"):
            raise LinkError(f"{name}: this literal goes over several lines: {line.strip()}")
    return _MARGIN.sub("", body).strip()


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


def _needs(chunk: _Chunk, modules: Mapping[str, Module]) -> set[str]:
    """The names of the modules that a file needs, its own among them."""
    entry = [chunk.name] if chunk.name in modules else []
    return {name for module in chunk.modules for name in module.needs}.union(entry)


def _text(
    chunk: _Chunk, modules: Mapping[str, Module], home: Mapping[str, str], needed: Mapping[str, set[str]]
) -> str:
    entry = modules.get(chunk.name)
    lines = _chunk_imports(chunk.name, _needs(chunk, modules), modules, home)
    lines += [_beside(_wrapped(module, modules), chunk.name, needed) for module in chunk.modules]
    if chunk.modules:
        lines.append(f"export {{ {', '.join(module.variable for module in chunk.modules)} }};")
    if entry is not None and entry.exports:
        lines.append(f"export const {{ {', '.join(entry.exports)} }} = {entry.variable};")
    return "\n".join(lines) + "\n"


def _beside(text: str, name: str, needed: Mapping[str, set[str]]) -> str:
    """Ask for what a file needs together with it, not when it has come: that would be another round trip."""

    def with_needs(found: re.Match[str]) -> str:
        others = sorted(needed[found[1]] - {name})
        if not others:
            return found[0]
        asked = ", ".join(f'import("./{other}").catch(() => {{}})' for other in others)
        return f"({asked}, {found[0]})"

    return _LAZY.sub(with_needs, text)


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
