"""The generated modules of `semantik/client`: one for each tag in `calls`, `sync_calls` and `types`."""

from __future__ import annotations

import re
import textwrap

from clients.description import Argument, Call, Description, sentence, snake_case
from clients.python_types import SHARED, PythonTypes, type_names

_HEAD = "Written by `make clients` from docs/openapi.yaml: do not change it by hand."
_WIDTH = 106
_RESULTS = {"text": "str", "headers": "dict[str, str]", None: "None"}
_STREAMS = {"events": "ServerEvent", "bytes": "bytes"}


class PythonModules:
    """`files()` are the texts by their paths below `semantik/client/`, still unformatted."""

    def __init__(self, description: Description) -> None:
        self._description = description
        self.types = PythonTypes(description)
        # All annotations are made before the first module is written: only then it is known who uses which type.
        self.results = {call.operation_id: self._result(call) for call in description.calls}
        self.arguments = {
            (call.operation_id, argument.wire): self._argument(call, argument)
            for call in description.calls
            for argument in call.arguments
        }
        self._home = self.types.home()
        self._tags = list(dict.fromkeys(call.tag for call in description.calls))

    def files(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for tag in self._tags:
            calls = [call for call in self._description.calls if call.tag == tag]
            found[f"calls/{snake_case(tag)}.py"] = self._async_module(tag, calls)
            found[f"sync_calls/{snake_case(tag)}.py"] = self._sync_module(tag, calls)
        found["calls/__init__.py"] = self._package("calls", "Calls", "The calls of the REST API.")
        found["sync_calls/__init__.py"] = self._package("sync_calls", "SyncCalls", "The same, without async.")
        for module, names in self.types.modules().items():
            found[f"types/{module}.py"] = self._types_module(module, names)
        lines = [f'"""The types of arguments and results. {_HEAD}"""', ""]
        for module, names in self.types.modules().items():
            lines.append(f"from semantik.client.types.{module} import {', '.join(sorted(names))}")
        lines += ["", f"__all__ = {sorted(self._home)!r}"]
        found["types/__init__.py"] = "\n".join(lines) + "\n"
        return found

    def _result(self, call: Call) -> str:
        if call.result in _RESULTS:
            return _RESULTS[call.result]
        if call.result in _STREAMS:
            return _STREAMS[call.result]
        name = call.operation_id[:1].upper() + call.operation_id[1:] + "Result"
        return self.types.annotation(call.schema, call, name)

    def _argument(self, call: Call, argument: Argument) -> str:
        if argument.is_flag:
            return "bool"
        name = call.operation_id[:1].upper() + call.operation_id[1:] + argument.wire.title().replace("_", "")
        return self.types.annotation(argument.schema, call, name.replace("-", ""))

    def signature(self, call: Call) -> list[str]:
        """The parameters after `self`, with their types."""
        parameters: list[str] = []
        starred = False
        for argument in call.sorted_arguments:
            if not argument.required and not starred:
                parameters.append("*")
                starred = True
            text = self.arguments[call.operation_id, argument.wire]
            if not argument.required:
                text = text.removesuffix(" | None") + " | Unset" + text[len(text.removesuffix(" | None")) :]
            parameters.append(f"{argument.name}: {text}" + ("" if argument.required else " = UNSET"))
        return parameters

    def _async_module(self, tag: str, calls: list[Call]) -> str:
        methods = [self._async_method(call) for call in calls]
        bases = "from semantik.client.transport import Transport"
        return self._module(tag, "Calls", "Transport", bases, methods, calls)

    def _sync_module(self, tag: str, calls: list[Call]) -> str:
        methods = [self._sync_method(call) for call in calls]
        bases = "from semantik.client.portal import Portal"
        return self._module(tag, "SyncCalls", "Portal", bases, methods, calls)

    def _module(
        self, tag: str, suffix: str, base: str, bases: str, methods: list[str], calls: list[Call]
    ) -> str:
        described = next(each["description"] for each in self._description.tags if each["name"] == tag)
        text = "\n".join(methods)
        annotations = " ".join(
            [self.results[call.operation_id] for call in calls]
            + [self.arguments[call.operation_id, a.wire] for call in calls for a in call.arguments]
        )
        imports = [bases, *self._type_imports(annotations)]
        used = [
            name
            for name in ("UNSET", "FileContent", "ServerEvent", "Unset", "fill")
            if re.search(rf"\b{name}\b", text)
        ]
        if used:
            imports.append(f"from semantik.client.values import {', '.join(used)}")
        typing = [name for name in ("Any", "Literal") if re.search(rf"\b{name}\b", text)]
        streams = [name for name in ("AsyncIterator", "Iterator") if re.search(rf"\b{name}\b", text)]
        lines = [f'"""{described} {_HEAD}"""', "", "from __future__ import annotations", ""]
        if streams:
            lines.append(f"from collections.abc import {', '.join(streams)}")
        if typing:
            lines.append(f"from typing import {', '.join(typing)}")
        lines += ["", *sorted(imports), "", "", f"class {class_name(tag)}{suffix}({base}):"]
        lines += [f'    """{sentence(described)}"""', "", text]
        return _wrapped("\n".join(lines))

    def _type_imports(self, text: str) -> list[str]:
        names = sorted(set(type_names(text, self._home)))
        homes = sorted({self._home[name] for name in names})
        return [
            f"from semantik.client.types.{home} import {', '.join(n for n in names if self._home[n] == home)}"
            for home in homes
        ]

    def _async_method(self, call: Call) -> str:
        result = self.results[call.operation_id]
        is_stream = call.result in ("events", "lines", "bytes")
        head = ", ".join(["self", *self.signature(call)])
        given = [f'"{call.method}"', self._path(call)]
        for where in ("query", "body"):
            fields = [a for a in call.arguments if a.where == where and a.wire != "content"]
            if fields:
                given.append(f"{where}={{{', '.join(f'{a.wire!r}: {a.name}' for a in fields)}}}")
            elif where == "body" and call.body == "json":
                given.append("body={}")
        headers = [f"{name!r}: {value!r}" for name, value in call.headers.items()]
        headers += [f"{a.wire!r}: {a.name}" for a in call.arguments if a.where == "header"]
        if call.body not in (None, "json"):
            headers.insert(0, f"'Content-Type': {call.body!r}")
            given.append("content=content")
        if headers:
            given.append(f"headers={{{', '.join(headers)}}}")
        if call.repeatable != (call.method in ("GET", "HEAD", "PUT", "DELETE")):
            given.append(f"repeatable={call.repeatable}")
        arguments = ", ".join(given)
        doc = _docstring(call)
        if is_stream:
            head = f"    def {call.name}({head}) -> AsyncIterator[{result}]:"
            return f"{head}\n{doc}\n        return self.stream_{call.result}({arguments})\n"
        reader = {"headers": "read_headers", "text": "read_text"}.get(call.result or "", "read_json")
        if call.result is None:
            end = f"        await self.{reader}({arguments})\n"
        else:
            end = f"        answer: {result} = await self.{reader}({arguments})\n        return answer\n"
        return f"    async def {call.name}({head}) -> {result}:\n{doc}\n{end}"

    def _sync_method(self, call: Call) -> str:
        result = self.results[call.operation_id]
        is_stream = call.result in ("events", "lines", "bytes")
        head = ", ".join(["self", *self.signature(call)])
        given = ", ".join(a.name if a.required else f"{a.name}={a.name}" for a in call.sorted_arguments)
        run = "iterate" if is_stream else "run"
        result = f"Iterator[{result}]" if is_stream else result
        doc = f'        """{sentence(call.summary)}"""'
        return (
            f"    def {call.name}({head}) -> {result}:\n{doc}\n"
            f"        return self.{run}(lambda client: client.{call.name}({given}))\n"
        )

    def _path(self, call: Call) -> str:
        names = {a.wire: a.name for a in call.arguments if a.where == "path"}
        if not names:
            return f'"{call.path}"'
        found = re.findall(r"{(\w+)}", call.path)
        template = re.sub(r"{\w+}", "{}", call.path)
        return f'fill("{template}", {", ".join(names[name] for name in found)})'

    def _package(self, package: str, suffix: str, described: str) -> str:
        lines = [f'"""{described} {_HEAD}"""', ""]
        lines += [
            f"from semantik.client.{package}.{snake_case(tag)} import {class_name(tag)}{suffix}"
            for tag in sorted(self._tags, key=snake_case)
        ]
        bases = ", ".join(f"{class_name(tag)}{suffix}" for tag in self._tags)
        name = "Calls" if suffix == "Calls" else "SyncCalls"
        lines += ["", "", f"class {name}({bases}):", f'    """{described}"""']
        return "\n".join(lines) + "\n"

    def _types_module(self, module: str, names: dict[str, tuple[str, set[str]]]) -> str:
        text = "\n\n\n".join(code for code, _ in _bases_first(names))
        what = (
            "Types that several groups of calls use"
            if module == SHARED
            else f"Types of the calls on {module}"
        )
        lines = [f'"""{what.replace("_", " ")}. {_HEAD}"""', "", "from __future__ import annotations", ""]
        typing = [n for n in ("Any", "Literal", "NotRequired", "TypedDict") if re.search(rf"\b{n}\b", text)]
        lines.append(f"from typing import {', '.join(typing)}")
        others = sorted({n for _, used in names.values() for n in used if self._home[n] != module})
        lines.append("")
        for home in sorted({self._home[name] for name in others}):
            its = ", ".join(name for name in others if self._home[name] == home)
            lines.append(f"from semantik.client.types.{home} import {its}")
        return _wrapped("\n".join([*lines, "", "", text, ""]))


def class_name(tag: str) -> str:
    """`API keys` as ApiKeys."""
    return "".join(word.capitalize() for word in snake_case(tag).split("_"))


def _bases_first(names: dict[str, tuple[str, set[str]]]) -> list[tuple[str, set[str]]]:
    """Aliases, then classes after those that they inherit from; else in the order of their names."""
    done: dict[str, tuple[str, set[str]]] = {}

    def add(name: str) -> None:
        if name in done or name not in names:
            return
        head = names[name][0].partition(":")[0]
        for base in re.findall(r"\w+", head.partition("(")[2]):
            if head.startswith("class ") and base != name:
                add(base)
        done[name] = names[name]

    for name in sorted(names, key=lambda n: (names[n][0].startswith("class "), n)):
        add(name)
    return list(done.values())


def _docstring(call: Call) -> str:
    """Summary, description, arguments and errors, indented for a method."""
    lines = textwrap.wrap(sentence(call.summary), _WIDTH - 12)
    if call.description:
        lines += ["", *textwrap.wrap(sentence(call.description), _WIDTH - 8)]
    described = [a for a in call.sorted_arguments if a.description and a.where != "path"]
    if described:
        lines.append("")
    for argument in described:
        text = f"{argument.name}: {sentence(argument.description)}"
        lines += textwrap.wrap(text, _WIDTH - 8, subsequent_indent="    ")
    statuses = ", ".join(code for code, _ in call.errors)
    lines += ["", f"Raises Refused ({statuses}) and Unavailable."]
    text = textwrap.indent("\n".join(lines), " " * 8).strip().replace("\\", "\\\\").replace('"""', "'''")
    return f'        """{text}\n        """' if not text.endswith('"') else f'        """{text} \n        """'


def _wrapped(text: str) -> str:
    """Docstrings of one line that are too long, as several lines."""
    lines: list[str] = []
    for line in text.split("\n"):
        match = re.fullmatch(r'( *)"""(.*)"""', line)
        if match is None or len(line) <= _WIDTH:
            lines.append(line)
            continue
        indent, said = match.groups()
        first, *rest = textwrap.wrap(said, _WIDTH - len(indent))
        lines += [f'{indent}"""{first}', *(f"{indent}{more}" for more in rest), f'{indent}"""']
    return "\n".join(lines)
