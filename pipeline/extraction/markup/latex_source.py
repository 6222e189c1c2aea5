"""Prepares the source of a LaTeX text: comments, verbatim parts, macros of its own. Pure."""

from __future__ import annotations

import re

from pipeline.extraction.markup.latex_symbols import LETTERS

_VERBATIM = "Highlighting|verbatim|Verbatim|lstlisting|minted|alltt|filecontents|BVerbatim|VerbatimOut"
_VERBATIM_BLOCK = re.compile(
    rf"\\begin\{{(?P<name>(?:{_VERBATIM})\*?)\}}(?P<rest>.*?)\\end\{{(?P=name)\}}"
    r"|\\verb\*?(?P<mark>[^a-zA-Z\s*])(?P<text>[^\n]*?)(?P=mark)"
    r"|\\(?:lstinline|mintinline)(?:\[[^\]]*\])?(?:\{\w+\})?(?P<mark2>[^a-zA-Z\s\[{])(?P<text2>[^\n]*?)(?P=mark2)"
    r"|(?P<comment>(?<!\\)(?:\\\\)*%[^\n]*(?:\n[ \t]*(?!\s*\n)|(?=\n)|\Z))"
    r"|(?P<hidden>\\begin\{comment\}.*?\\end\{comment\})",
    re.DOTALL,
)
_COLOURED = re.compile(
    r"\\[A-Za-z]+Tok\{|\\(?P<name>text[a-z]+)\{\}|\\?(?P<plain>(?<=\\)[\\#%&$_{}]|(?<=\{)[-\[\]](?=\}))|[{}]"
)
_CODE_LETTERS = {"textquotesingle": "'", "textasciigrave": "`", "textquotedbl": '"'}
_LANGUAGE = re.compile(
    r"\A\s*(?:\[[^\]]*?language=\{?(?:\[\w+\])?(?P<name>[\w+#-]+)[^\]]*\]|\[[^\]]*\])?(?:\{(?P<minted>[\w+#-]+)\})?"
)
_DEFINITION = re.compile(
    r"\\(?:(?:re)?newcommand|providecommand|DeclareRobustCommand|def)\*?\s*(?:\{\s*\\(?P<name>[a-zA-Z@]+)\s*\}|\\(?P<name2>[a-zA-Z@]+))"
    r"\s*(?:\[(?P<count>\d)\])?(?P<optional>\[[^\]]*\])?\s*(?=\{)"
)
_DECIDED = re.compile(r"\\if(?:false|true)(?![a-zA-Z@])[ \t]?")
_CONDITION = re.compile(
    r"\\(?:(?P<opens>if(?!f\b|thenelse\b)[a-zA-Z@]*)|(?P<other>else)|fi)(?![a-zA-Z@])[ \t]?"
)
_ALTERNATIVE = re.compile(
    r"(?<!\\)\\includegraphics\*?\s*\[[^\[\]{}]{0,300}\balt\s*=\s*\{([^{}]{0,2000})\}[^\[\]{}]{0,300}\]\s*\{[^{}]{0,500}\}"
)
_GIVEN_AWAY = re.compile(r"\\let\s*\\[a-zA-Z@]+\s*=?\s*\Z")
_CONDITIONS = 200
_EXPANSIONS = 2000
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_LONGEST_GROUP = 50_000  # characters
_MAX_DEPTH = 100


def group(text: str, at: int) -> tuple[str, int]:
    """The content of the braces that open at an offset, and the offset after them."""
    depth = 0
    for found in _BRACE.finditer(text, at, at + _LONGEST_GROUP):
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        if not depth:
            return text[at + 1 : found.start()], found.end()
        if depth > _MAX_DEPTH:
            break
    return "", at + 1


def prepared(source: str) -> tuple[str, list[tuple[str, str, bool]]]:
    """The source without comments, and its verbatim parts: (code, language, whether it is a block).

    A part is replaced by its number between U+E000 and U+E001.
    """
    parts: list[tuple[str, str, bool]] = []

    def replaced(found: re.Match[str]) -> str:
        if found["comment"] is not None:
            return found[0][: found[0].index("%")]
        if found["hidden"]:
            return ""
        if found["name"]:
            options = _LANGUAGE.match(found["rest"])
            language = (options["name"] or options["minted"] or "").lower() if options else ""
            code = found["rest"][options.end() if options else 0 :]
            parts.append((_plain_code(code) if found["name"] == "Highlighting" else code, language, True))
            return f"\n\n\ue000{len(parts) - 1}\ue001\n\n"
        parts.append((found["text"] or found["text2"] or "", "", False))
        return f"\ue000{len(parts) - 1}\ue001"

    return _VERBATIM_BLOCK.sub(replaced, source), parts


def _plain_code(source: str) -> str:
    """Code that pandoc or R Markdown has coloured, without the commands for that."""
    return _COLOURED.sub(
        lambda found: (
            found["plain"] or LETTERS.get(found["name"] or "", _CODE_LETTERS.get(found["name"] or "", ""))
        ),
        source,
    )


def chosen(source: str) -> str:
    """The source without what `\\iffalse` hides, and with what `\\iftrue` shows; no other condition is decided."""
    at = 0
    for _ in range(_CONDITIONS):
        found = _DECIDED.search(source, at)
        if not found:
            break
        at = found.end()
        if _GIVEN_AWAY.search(source, max(0, found.start() - 80), found.start()):
            continue
        if branches := _branches(source, at):
            shown = branches[0] if "true" in found[0] else branches[1]
            at = found.start()
            source = source[:at] + shown + source[branches[2] :]
    return source


def _branches(source: str, start: int) -> tuple[str, str, int] | None:
    """What stands before and after the `\\else` of the condition that opens at `start`, and its end."""
    depth, middle = 1, None
    for found in _CONDITION.finditer(source, start):
        if found["opens"]:
            depth += 1
        elif found["other"]:
            if depth == 1 and middle is None:
                middle = found
        elif depth > 1:
            depth -= 1
        else:
            first = source[start : (middle or found).start()]
            return first, source[middle.end() : found.start()] if middle else "", found.end()
    return None


def without_second_header(body: str) -> str:
    """A long table without the header that stands on its later pages."""
    first = body.find("\\endfirsthead")
    later = body.find("\\endhead", first)
    return body[:first] + body[later:] if 0 <= first < later else body


def expanded(source: str) -> str:
    """The source with its own macros replaced by what they stand for."""
    macros: dict[str, tuple[int, str]] = {}
    pieces, at = [], 0
    for found in _DEFINITION.finditer(source):
        if found.start() < at:
            continue
        body, end = group(source, found.end())
        name = found["name"] or found["name2"]
        if (
            not found["optional"]
            and "#" not in source[found.end("name2") if found["name2"] else found.end() : found.end()]
        ):
            count = int(found["count"] or 0)
            if "@" in body:  # computed by internals of TeX
                body = " ".join(f"#{number}" for number in range(1, count + 1))
            macros[name] = (count, body)
        pieces.append(source[at : found.start()])
        at = end
    text = _ALTERNATIVE.sub(r"\1", "".join([*pieces, source[at:]]))
    budget = _EXPANSIONS
    for _ in range(4):
        text, count = _replace(text, macros, budget)
        budget -= count
        if not count or budget <= 0:
            break
    return text


def _replace(text: str, macros: dict[str, tuple[int, str]], budget: int) -> tuple[str, int]:
    if not macros:
        return text, 0
    names = "|".join(sorted(map(re.escape, macros), key=len, reverse=True))
    pieces, at, count, size = [], 0, 0, 0
    for found in re.finditer(rf"\\({names})(?![a-zA-Z@])", text):
        if found.start() < at or count >= budget or size > 2_000_000:
            continue
        arity, body = macros[found[1]]
        end, arguments = found.end(), []
        for _ in range(arity):
            opening = re.compile(r"\s*\{").match(text, end)
            if not opening:
                break
            argument, end = group(text, opening.end() - 1)
            arguments.append(argument)
        for number, argument in enumerate(arguments, 1):
            body = body.replace(f"#{number}", argument)
        if not arity and text[end : end + 1] == " ":
            end += 1  # TeX passes over the space after a command
        pieces += [text[at : found.start()], body]
        at, count, size = end, count + 1, size + len(body)
    return "".join([*pieces, text[at:]]), count
