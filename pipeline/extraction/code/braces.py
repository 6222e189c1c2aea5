"""The outline of source code whose blocks stand in braces: C, Java, Go, Rust, JavaScript and the like. Pure.

What stands before a brace says what the block is: a container (class, namespace), a function, or neither. Blocks inside
functions are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.extraction.content import WORD, Heading

_EVENT = re.compile(r"[{};()]")
_BLANK_LINE = re.compile(r"\n[ \t\r]*\n")
_HEADER = 2000  # characters before a brace that may say what the block is
_NOISE = re.compile(
    r"@[\w.]+(?:\([^()]*\))?|#?\[[^\[\]]*\]|\bpub\([^()]*\)|__attribute__\s*\(\([^()]*\)\)|\b\w+_API\b"
)
_CONTAINER = re.compile(
    r"^[^=()]*?\b(?P<keyword>class|interface|namespace|trait|object|record|protocol|extension|module|mod|impl|package|"
    r"struct|union|enum)\b(?:<[^{}()]*?>)?\s+(?:(?:class|struct|[A-Z_]+)\s+)?(?:[^{}();=]*?\sfor\s+)?"
    r"(?P<name>[\w$.:\\~]*[\w$])\s*(?=[<({:,]|\b(?:extends|implements|where|with|final|permits)\b|\Z)",
    re.MULTILINE,
)
_GO_TYPE = re.compile(
    r"^\s*(?:type\s+)?(?P<name>(?!typedef|static|const)\w+)(?:\[[^\]]*\])?\s+(?:struct|interface)\s*\Z",
    re.MULTILINE,
)
_KEYWORD_FUNCTION = re.compile(
    r"\b(?:fn|fun|func|function|sub|def)\b\s*[*&]?\s*(?:\([^()]*\)\s*)?(?:<[^<>()]*>\s*)?(?P<name>[\w$.:]+|`[^`]+`)"
)
_ASSIGNED = re.compile(
    r"(?P<name>[\w$.]+)\s*(?::(?!:)[^=\n]{1,200})?(?<!:)[=:](?!:)\s*(?:async\s*)?(?:function\b[^{]*|\([^{}]*\)[^={}]*=>\s*|\w+\s*=>\s*)\Z"
)
_CALL_LIKE = re.compile(r"(?P<name>~?(?:\w+::)*~?[\w$]+|operator\s*[^\s\w(]{1,3})\s*(?:<[^<>()]*>\s*)?\(")
_ANNOTATION = re.compile(r"[ \t]*(?:@|\[|#\[|template\b)")
_CONTINUED = re.compile(r"[:,?]|->|throws\b|where\b|const\b|noexcept\b")
_MEMBER = re.compile(r"\)\s*:(?!:)[^;:]*\w\Z")  # a member that a constructor of C++ sets: `: gates_{1}`
_NO_FUNCTIONS = {
    "if", "for", "while", "switch", "catch", "return", "else", "do", "with", "synchronized", "using", "lock", "foreach",
    "elseif", "match", "when", "unless", "sizeof", "defined", "new", "throw", "await", "typeof", "function", "super",
    "this", "fixed", "checked", "unchecked", "until", "guard",
}  # fmt: skip


@dataclass
class _Block:
    """An open block; `level` is 0 where it has no heading."""

    level: int = 0
    innermost: int = 0  # the level of the innermost heading, this one's included
    opaque: bool = False  # blocks inside it are passed over
    inline: bool = (
        False  # a default value or a pattern in a parameter list: what stands before it goes on after it
    )
    parentheses: int = 0


@dataclass(frozen=True)
class _Named:
    name: str
    start: int  # of the declaration, an offset in the text
    opaque: bool


def headings(source: str, masked: str) -> Iterator[Heading]:
    """The headings in order; one without a title stands where a block ends."""
    blocks = [_Block()]
    begin = 0  # of what may declare the next block
    for event in _EVENT.finditer(masked):
        current = blocks[-1]
        if event[0] == "(":
            current.parentheses += 1
        elif event[0] == ")":
            current.parentheses = max(0, current.parentheses - 1)
        elif event[0] == ";":
            begin = begin if current.parentheses else event.end()
        elif event[0] == "{":
            begin = max(begin, event.start() - _HEADER)
            block, found = _opened(current, masked, begin, event.start())
            if found:
                yield Heading(with_comment(source, masked, found.start), event.end(), block.level, found.name)
            blocks.append(block)
            begin = begin if block.inline else event.end()
        elif len(blocks) > 1:
            block = blocks.pop()
            begin = begin if block.inline else event.end()
            if block.level:
                yield Heading(event.end(), event.end(), block.level, "")


def _opened(current: _Block, masked: str, begin: int, brace: int) -> tuple[_Block, _Named | None]:
    """The block that begins at a brace, and what the text before it, from `begin` on, declares."""
    header = masked[begin:brace]
    inline = bool(current.parentheses) and not header.rstrip().endswith((")", ">"))
    inline = inline or _MEMBER.search(header) is not None
    block = _Block(0, current.innermost, current.opaque, current.inline or inline)
    level = 1 + current.innermost
    if block.opaque or block.inline or level > 6:
        return block, None
    found = _named(masked, begin, brace)
    if found:
        block.level, block.innermost, block.opaque = level, level, found.opaque
    return block, found


def with_comment(source: str, masked: str, start: int) -> int:
    """The offset where the line of `start` begins, with the comment that stands directly above it."""
    start = masked.rfind("\n", 0, start) + 1
    while start:
        above = masked.rfind("\n", 0, start - 1) + 1
        if masked[above:start].strip() or not source[above:start].strip():
            break
        start = above
    return start


def _named(masked: str, begin: int, brace: int) -> _Named | None:
    """What the text between two offsets declares, of which the second is that of a brace."""
    header = _NOISE.sub(lambda noise: " " * len(noise[0]), masked[begin:brace].rstrip())
    for gap in _BLANK_LINE.finditer(header):
        if WORD.search(header, gap.end()):
            header = " " * gap.end() + header[gap.end() :]
    first = begin + len(header) - len(header.lstrip(" \t\r\n,;"))
    functions = [each for each in _KEYWORD_FUNCTION.finditer(header) if each["name"] != "interface"]
    found = functions[-1] if functions else _ASSIGNED.search(header)
    if found:
        return _Named(found["name"].strip("`"), _with_annotations(masked, begin + found.start(), begin), True)
    containers = list(_CONTAINER.finditer(header)) or list(_GO_TYPE.finditer(header))
    if containers and not _is_function_type(containers[-1], header):
        start = _with_annotations(masked, begin + containers[-1].start("name"), begin)
        return _Named(containers[-1]["name"], start, False)
    return _call_like(header, begin, _with_annotations(masked, first, begin))


def _with_annotations(masked: str, start: int, begin: int) -> int:
    """The offset of the line of `start`, or of the annotations above it, but not before `begin`."""
    line = max(begin, masked.rfind("\n", 0, start) + 1)
    while line > begin:
        above = max(begin, masked.rfind("\n", 0, line - 1) + 1)
        if not _ANNOTATION.match(masked, above, line):
            break
        line = above
    return line + len(masked[line:start]) - len(masked[line:start].lstrip(" \t\r\n,;"))


def _is_function_type(found: re.Match[str], header: str) -> bool:
    """Whether "struct", "union" or "enum" is but the type that a C function returns."""
    return found.groupdict().get("keyword") in ("struct", "union", "enum") and "(" in header[found.end() :]


def _call_like(header: str, begin: int, first: int) -> _Named | None:
    """A function without a keyword: `int main(void)`, `Foo::Foo() : a(1)`, `render() {` in a class."""
    statement = _last_statement(header)
    found = _CALL_LIKE.search(statement)
    if found is None or found["name"] in _NO_FUNCTIONS or "=" in statement[: found.start("name")]:
        return None
    if statement.count("(") != statement.count(")") or ")" in statement[: found.start("name")]:
        return None
    before = header[: len(header) - len(statement)]
    return _Named(" ".join(found["name"].split()), begin + len(before) if "=" in before else first, True)


def _last_statement(header: str) -> str:
    """The last lines whose parentheses are closed: without semicolons, other statements may stand above."""
    for line in range(header.count("\n"), -1, -1):
        statement = header.split("\n", line)[-1]
        lead = statement.lstrip()
        if "(" in lead and statement.count("(") == statement.count(")") and not _CONTINUED.match(lead):
            return statement
    return header
