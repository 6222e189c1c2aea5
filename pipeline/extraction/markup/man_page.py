"""Man pages of both macro sets, man and mdoc, as Markdown. Pure.

Nothing is included or run: `.so` and `.sy` are passed over.
"""

from __future__ import annotations

import re

from pipeline.extraction import markdown
from pipeline.extraction.markdown_parts import fenced, table
from pipeline.extraction.markup import mdoc, roff, roff_tables

_FONTS = {"B", "I", "R", "SM", "SB", "SY", "OP"}
_TWO_FONTS = {"BR", "RB", "BI", "IB", "IR", "RI"}
_BREAKS = {
    "PP",
    "P",
    "LP",
    "HP",
    "Pp",
    "sp",
    "br",
    "RE",
    "RS",
    "Bl",
    "El",
    "TP",
    "TQ",
    "IP",
    "It",
    "D1",
    "Dl",
}
_EXPANSIONS = 500  # calls of macros that a page defines itself
_CONDITION = re.compile(r"(?P<word>ie|el|if)\b[ \t]*(?P<rest>.*)", re.DOTALL)


class ManPage:
    """Reads one page; `title` and `text` are the result."""

    def __init__(self, source: str) -> None:
        self.title: str | None = None
        self._strings = {"lq": "“", "rq": "”", "R": "®", "Tm": "™", "S": ""}
        self._name = ""
        self._parts: list[str] = []
        self._words: list[str] = []
        self._verbatim: list[str] | None = None
        self._tag: str | None = None
        self._lists: list[int | None] = []  # the numbers of the open lists' last items
        self._tag_follows = False
        self._skipping = 0  # the depth of braces of a branch that is not taken
        self._macros: dict[str, list[str]] = {}
        self._expansions = 0
        lines = re.sub(r"\r\n?", "\n", source).split("\n")
        self._read(lines)
        self._flush()
        self.text = "\n\n".join(part for part in self._parts if part)

    def _read(self, lines: list[str]) -> None:
        at = 0
        while at < len(lines):
            line = lines[at]
            at += 1
            while line.endswith("\\") and not line.endswith("\\\\") and at < len(lines):
                line, at = line[:-1] + lines[at], at + 1
            if self._skipping:
                self._skipping += line.count("\\{") - line.count("\\}")
            elif re.match(r"[.'][ \t]*(?:de1?|am|ig)\b", line):
                at = self._define(line, lines, at)
            elif re.match(r"\.[ \t]*TS\b", line):
                end = next((n for n in range(at, len(lines)) if lines[n].startswith(".TE")), len(lines))
                self._flush()
                self._parts.append(table(roff_tables.rows(lines[at:end], self._plain)))
                at = end + 1
            elif re.match(r"\.[ \t]*EQ\b", line):
                at = next((n + 1 for n in range(at, len(lines)) if lines[n].startswith(".EN")), len(lines))
            elif line.startswith((".", "'")) and len(line) > 1:
                self._request(line[1:].strip())
            elif line.startswith("\\}"):
                continue
            else:
                self._add(line)

    def _define(self, line: str, lines: list[str], at: int) -> int:
        """Keeps the macro that a page defines, and returns where its definition ends."""
        words = line[1:].split()
        end = next((n for n in range(at, len(lines)) if lines[n].rstrip() == ".."), len(lines))
        if len(words) > 1 and words[0].startswith("de"):
            self._macros[words[1]] = lines[at:end]
        return end + 1

    def _request(self, line: str) -> None:
        line = re.sub(r'(?<!\\)\\".*', "", line)
        if conditional := _CONDITION.match(line):
            self._branch(conditional["word"], conditional["rest"])
            return
        macro, _, rest = line.partition(" ") if " " in line else line.partition("\t")
        rest = rest.strip()
        if macro in self._macros:
            self._expand(macro, rest)
        elif macro == "ds":
            name, _, value = rest.partition(" ")
            self._strings[name] = value.strip().removeprefix('"')
        elif macro in ("TH", "Dt"):
            words = mdoc.words(rest)
            self.title = f"{words[0]}({words[1]})".lower() if len(words) > 1 else None
        elif macro in ("SH", "Sh", "SS", "Ss"):
            self._flush()
            self._end_verbatim()
            heading = self._inline(mdoc.words(rest)) if macro[1] in "hs" else self._plain(rest.strip('"'))
            self._parts.append(f"{'#' if macro[1] in 'hH' else '##'} {heading}")
        else:
            self._block(macro, rest)

    def _branch(self, word: str, rest: str) -> None:
        """Takes the branches that a terminal takes: `.if n`, `.ie n`, and `.el` of other conditions."""
        condition, _, body = rest.partition(" ") if word != "el" else ("", "", rest)
        taken = condition == "n" if word != "el" else not self._taken
        if word == "ie":
            self._taken = taken
        body = body.strip()
        opened = body.count("\\{") - body.count("\\}")
        if not taken:
            self._skipping = max(0, opened + condition.count("\\{"))
            return
        body = body.replace("\\{", "").replace("\\}", "").strip()
        if body and body[0] in ".'":
            self._request(body[1:].strip())
        elif body:
            self._add(body)

    _taken = False

    def _expand(self, macro: str, rest: str) -> None:
        self._expansions += 1
        if self._expansions > _EXPANSIONS:
            return
        arguments = mdoc.words(rest)
        body = []
        for line in self._macros[macro]:
            line = line.replace("\\\\", "\\")
            line = re.sub(r"\\\$[*@]", lambda _: rest, line)
            body.append(re.sub(r"\\\$(\d)", lambda n: "".join(arguments[int(n[1]) - 1 : int(n[1])]), line))
        own, self._macros = (
            self._macros,
            {name: lines for name, lines in self._macros.items() if name != macro},
        )
        self._read(body)
        self._macros = own

    def _block(self, macro: str, rest: str) -> None:
        if macro in _BREAKS:
            self._flush()
        if macro in ("nf", "EX", "Bd"):
            self._flush()
            literal = macro != "Bd" or re.search(r"-(?:literal|unfilled)", rest)
            self._verbatim = [] if literal else None
        elif macro in ("fi", "EE", "Ed"):
            self._end_verbatim()
        elif macro in ("TP", "TQ"):
            self._tag_follows = True
        elif macro == "IP":
            self._start_item(self._plain((mdoc.words(rest) or [""])[0]))
        elif macro in ("Bl", "El"):
            self._open_or_close_list(macro, rest)
        elif macro == "It":
            self._start_item(self._inline(mdoc.words(rest)) or self._number())
        elif macro in ("UR", "MT"):
            self._add(rest)
        elif macro in ("D1", "Dl"):
            self._parts.append(fenced(self._inline(mdoc.words(rest))))
        elif macro in _FONTS or macro in _TWO_FONTS:
            self._font(macro, mdoc.words(rest))
        elif macro in mdoc.MACROS:
            self._mdoc(macro, mdoc.words(rest))

    def _mdoc(self, macro: str, words: list[str]) -> None:
        if macro == "Nm" and words and not self._name:
            self._name = words[0]
        if macro == "Nd":
            words = ["—", *words]
        elif macro in ("Fo", "Fc"):
            words = [*words, "("] if macro == "Fo" else [")"]
        else:
            words = [macro, *words]
        self._add_plain(self._inline(words))

    def _font(self, macro: str, words: list[str]) -> None:
        if macro == "OP":
            self._add_plain("[" + " ".join(map(self._plain, words)) + "]")
        elif words:
            self._add_plain(("" if macro in _TWO_FONTS else " ").join(map(self._plain, words)))

    def _inline(self, words: list[str]) -> str:
        return mdoc.inline(words, self._plain, self._name)

    def _plain(self, text: str) -> str:
        return roff.plain(text, self._strings)

    def _add(self, line: str) -> None:
        self._add_plain(self._plain(line))

    def _add_plain(self, text: str) -> None:
        if self._verbatim is not None:
            self._verbatim.append(text)
        elif self._tag_follows:
            self._tag_follows = False
            self._start_item(" ".join(text.split()))
        elif not text.strip():
            self._flush()
        else:
            if text[0] in " \t":  # a line that begins with a space stands on a line of its own
                self._flush_line()
            self._words.append(" ".join(text.split()))

    def _flush_line(self) -> None:
        if self._words:
            self._words[-1] += "\n"

    def _open_or_close_list(self, macro: str, rest: str) -> None:
        if macro == "Bl":
            self._lists.append(0 if "-enum" in rest else None)
        else:
            del self._lists[-1:]

    def _number(self) -> str:
        """The number of the next item, if the list has numbers."""
        number = self._lists[-1] if self._lists else None
        if number is None:
            return ""
        self._lists[-1] = number + 1
        return f"{number + 1}."

    def _start_item(self, tag: str) -> None:
        self._tag = tag.strip()

    def _flush(self) -> None:
        text = markdown.literal(" ".join(self._words).replace("\n ", "\n"))
        self._words = []
        if self._tag is not None:
            bullet = self._tag in ("", "•", "*", "-", "o", "·")
            item = text if bullet else _item(self._tag, text)
            mark = "" if re.match(r"\d+\. ", item) else "- "
            self._parts.append(mark + item if item else "")
            self._tag = None
        elif text:
            self._parts.append(text)

    def _end_verbatim(self) -> None:
        if self._verbatim is None:
            return
        code, self._verbatim = "\n".join(self._verbatim), None
        if self._tag is not None:
            self._flush()
        self._parts.append(fenced(code))


def _item(tag: str, text: str) -> str:
    if not text:
        return tag
    return f"{tag} {text}" if re.fullmatch(r"\(?\d+[.)]", tag) else f"{tag}: {text}"
