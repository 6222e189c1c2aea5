"""Org texts as Markdown. Pure; nothing is included, and no code is run."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.extraction import markdown
from pipeline.extraction.markdown_parts import fenced, table
from pipeline.extraction.markup.blocks import dedented, indent, joined
from pipeline.extraction.markup.latex_symbols import mathematics
from pipeline.extraction.metadata.stated import iso_date
from pipeline.extraction.raised_text import marked, resolved
from semantik.core.metadata import split_tags

_HEADING = re.compile(r"(?P<stars>\*+)[ \t]+(?P<title>.*?)(?P<tags>[ \t]+:[\w@#%:]+:)?[ \t]*\Z")
_STATE = re.compile(r"(?P<state>[A-Z][A-Z_-]{2,19})[ \t]+(?=\S)")
_STATES = {
    "TODO",
    "DONE",
    "NEXT",
    "WAITING",
    "WAIT",
    "HOLD",
    "CANCELLED",
    "CANCELED",
    "STARTED",
    "SOMEDAY",
    "MAYBE",
    "PROJ",
}
_PRIORITY = re.compile(r"\[#\w{1,2}\][ \t]*")
_KEYWORD = re.compile(r"[ \t]*#\+(?P<name>[\w-]+)(?:\[[^\]]*\])?:[ \t]*(?P<value>.*)\Z")
_BEGIN = re.compile(r"[ \t]*#\+begin_(?P<kind>\S+)(?:[ \t]+(?P<argument>.*))?\Z", re.IGNORECASE)
_DRAWER = re.compile(r"[ \t]*:(?P<name>[A-Za-z][\w-]*):[ \t]*\Z")
_DRAWER_END = re.compile(r"[ \t]*:END:[ \t]*\Z", re.IGNORECASE)
_PLANNING = re.compile(r"[ \t]*(?:(?:SCHEDULED|DEADLINE|CLOSED):[ \t]*[<\[][^>\]]*[>\]][ \t]*)+\Z")
_CLOCK = re.compile(r"[ \t]*CLOCK:")
_COMMENT = re.compile(r"[ \t]*#(?:[ \t]|\Z)")
_TABLE_ROW = re.compile(r"[ \t]*\|")
_RULE = re.compile(r"[ \t]*\|[-+]+\|?[ \t]*\Z|[ \t]*-{5,}[ \t]*\Z")
_FIXED = re.compile(r"[ \t]*:(?:[ \t]|\Z)")
_ITEM = re.compile(
    r"[ \t]*(?:(?P<bullet>[-+]|(?<=[ \t])\*)|(?P<number>\d+[.)]|[a-zA-Z][.)]))[ \t]+(?:\[@\d+\][ \t]*)?"
)
_CHECKBOX = re.compile(r"\[[ Xx-]\][ \t]+")
_LINK = re.compile(r"\[\[(?P<target>[^\[\]]{1,2000})\](?:\[(?P<label>[^\[\]]{1,2000})\])?\]")
_PICTURE = re.compile(r"\.(?:png|jpe?g|gif|svg|webp|pdf)\Z", re.IGNORECASE)
_FOOTNOTE = re.compile(r"\[fn:(?P<name>[\w-]*)(?::(?P<text>[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*))?\]")
_EMPHASIS = re.compile(r"(?<![\w*/_+=~\\])([*/_+])(?=\S)([^\n]{0,300}?\S)\1(?![\w*/_+=~])")
_VERBATIM = re.compile(r"(?<![\w*/_+=~])([=~])(?=\S)([^\n]{0,300}?\S|\S)\1(?!\w)")
_TIMESTAMP = re.compile(r"[<\[](\d{4}-\d\d-\d\d[^<>\[\]\n]{0,60})[>\]]")
_TARGET = re.compile(r"<<<?([^<>\n]+)>?>>")
_MACRO = re.compile(r"\{\{\{(?P<name>[\w-]+)(?:\((?P<arguments>[^{}]*)\))?\}\}\}")
_EXPORT_SNIPPET = re.compile(r"@@[\w-]+:.*?@@")
_ENTITIES = {
    "alpha": "α",
    "beta": "β",
    "to": "→",
    "rarr": "→",
    "larr": "←",
    "mdash": "—",
    "ndash": "–",
    "nbsp": " ",
    "deg": "°",
    "times": "×",
    "euro": "€",
    "hellip": "…",
    "dots": "…",
    "copy": "©",
    "shy": "",
}
_ENTITY = re.compile(r"\\([a-zA-Z]+)(?:\{\}|(?![a-zA-Z]))")
_FORMULA = re.compile(r"\\\((.{1,500}?)\\\)|\\\[(.{1,500}?)\\\]", re.DOTALL)
_RAISED = re.compile(r"(?<=[\w.,;)])([\^_])\{([^{}\n]{1,60})\}")
_POSITIONS = {"^": 1, "_": -1}
_CODE = {"src", "example", "verbatim"}
_HIDDEN = {"comment", "export"}
_SHOWN_KEYWORDS = {"subtitle", "caption", "description"}


class OrgText:
    """Reads one document; `title`, `author`, `date`, `tags` and `text` are the result."""

    def __init__(self, source: str) -> None:
        self.title: str | None = None
        self.author: str | None = None
        self.date: str | None = None
        self.tags: tuple[str, ...] = ()
        self._parts: list[str] = []
        self._words: list[str] = []
        self._mark = ""
        self._states = set(_STATES)
        self._macros: dict[str, str] = {}
        self._read(re.sub(r"\r\n?", "\n", source).split("\n"))
        body = "\n\n".join(part for part in self._parts if part)
        self.text = f"# {self.title}\n\n{body}" if self.title else body

    def _read(self, lines: Sequence[str]) -> None:
        at = 0
        while at < len(lines):
            line = lines[at]
            if heading := _HEADING.match(line):
                self._flush()
                at = self._heading(heading, lines, at)
            elif (found := self._block(lines, at)) is not None:
                at = found
            elif _PLANNING.match(line):
                self._flush()
                self._parts.append(self.plain(line.strip()))
                at += 1
            elif keyword := _KEYWORD.match(line):
                self._keyword(keyword["name"].lower(), keyword["value"].strip())
                at += 1
            else:
                self._line(line)
                at += 1
        self._flush()

    def _heading(self, heading: re.Match[str], lines: Sequence[str], at: int) -> int:
        title = heading["title"]
        if (state := _STATE.match(title)) and state["state"] in self._states:
            title = title[state.end() :]
        title = _PRIORITY.sub("", title, count=1)
        level = len(heading["stars"])
        if re.match(r"COMMENT\b", title):  # the whole subtree is one
            end = at + 1
            while end < len(lines) and not (
                (other := _HEADING.match(lines[end])) and len(other["stars"]) <= level
            ):
                end += 1
            return end
        self._parts.append(f"{'#' * min(6, level)} {self.plain(title)}")
        return at + 1

    def _block(self, lines: Sequence[str], at: int) -> int | None:
        """Reads a block, a drawer, a table or literal lines, and returns where they end; None where there is none."""
        line = lines[at]
        if (drawer := _DRAWER.match(line)) and drawer["name"].upper() != "END":
            end = next(
                (n for n in range(at + 1, min(len(lines), at + 1000)) if _DRAWER_END.match(lines[n])), None
            )
            if end is not None:
                return end + 1
        if begin := _BEGIN.match(line):
            return self._delimited(begin["kind"].lower(), begin["argument"] or "", lines, at)
        for pattern, write in ((_TABLE_ROW, self._table), (_FIXED, self._fixed)):
            if pattern.match(line):
                end = at
                while end < len(lines) and pattern.match(lines[end]):
                    end += 1
                self._flush()
                self._parts.append(write(lines[at:end]))
                return end
        return at + 1 if _COMMENT.match(line) or _CLOCK.match(line) or _RULE.match(line) else None

    def _delimited(self, kind: str, argument: str, lines: Sequence[str], at: int) -> int:
        closing = f"#+end_{kind}"
        end = next((n for n in range(at + 1, len(lines)) if lines[n].strip().lower() == closing), len(lines))
        body = lines[at + 1 : end]
        self._flush()
        if kind in _CODE:
            language = argument.split(" ")[0] if kind == "src" else ""
            code = [re.sub(r"^([ \t]*),(?=[*#,])", r"\1", each) for each in dedented(body)]
            self._parts.append(
                fenced("\n".join(code), language if re.fullmatch(r"[\w+#.-]*", language) else "")
            )
        elif kind == "verse":
            self._parts.append("\n".join(self.plain(each.strip()) for each in body))
        elif kind not in _HIDDEN:
            self._read(body)
        return end + 1

    def _table(self, lines: Sequence[str]) -> str:
        rows = []
        for line in lines:
            cells = [self.plain(cell.strip()) for cell in line.strip().strip("|").split("|")]
            if not _RULE.match(line) and not all(re.fullmatch(r"<[lrc]?\d*>|", cell) for cell in cells):
                rows.append(cells)
        return table(rows)

    def _fixed(self, lines: Sequence[str]) -> str:
        return fenced("\n".join(dedented([line.lstrip()[1:] for line in lines])))

    def _keyword(self, name: str, value: str) -> None:
        if name == "title":
            self.title = " ".join(filter(None, [self.title, self.plain(value)])) or None
        elif name == "author":
            self.author = self.plain(value) or None
        elif name == "date":
            self.date = iso_date(value.strip("<>[] ")[:10])
        elif name in ("filetags", "keywords"):
            self.tags += split_tags(re.sub(r":|\s+", ",", value) if name == "filetags" else value)
        elif name in ("todo", "seq_todo", "typ_todo"):
            self._states |= set(re.sub(r"\([^)]*\)", "", value).replace("|", " ").split())
        elif name == "macro":
            macro, _, text = value.partition(" ")
            self._macros[macro] = text
        elif name in _SHOWN_KEYWORDS:
            self._flush()
            self._parts.append(self.plain(value))

    def _line(self, line: str) -> None:
        if not line.strip():
            self._flush()
            return
        item = _ITEM.match(line)
        if item and (indent(line) or item["bullet"] != "*"):
            self._flush()
            self._mark = "- " if item["bullet"] else f"{item['number']} "
            text = _CHECKBOX.sub("", line[item.end() :], count=1)
            line = re.sub(r"[ \t]+::(?=[ \t]|\Z)", ":", text, count=1)
        definition = re.match(r"\[fn:([\w-]+)\][ \t]*", line)
        if definition:
            self._flush()
            line = f"[{definition[1]}] {line[definition.end() :]}"
        self._words.append(line.strip())

    def _flush(self) -> None:
        text = markdown.literal(joined(self.plain("\n".join(self._words))))
        if text.strip():
            self._parts.append(self._mark + text)
        self._words, self._mark = [], ""

    def plain(self, text: str) -> str:
        """The text without its inline markup."""
        text = _MACRO.sub(self._expanded, _EXPORT_SNIPPET.sub("", text))
        text = _LINK.sub(_label, text)
        text = _FOOTNOTE.sub(
            lambda note: f" ({note['text'].strip()})" if note["text"] else f" [{note['name']}]", text
        )
        text = _TIMESTAMP.sub(r"\1", _TARGET.sub(r"\1", text))
        pieces = _VERBATIM.split(text)  # text, mark, code, text, mark, code, text
        for at in range(0, len(pieces), 3):
            plain = _EMPHASIS.sub(r"\2", _EMPHASIS.sub(r"\2", pieces[at]))
            plain = _FORMULA.sub(lambda found: mathematics(found[1] or found[2]), plain)
            plain = _RAISED.sub(lambda found: marked(found[2], _POSITIONS[found[1]]), plain)
            pieces[at] = _ENTITY.sub(lambda found: _ENTITIES.get(found[1], found[0]), plain)
        text = "".join(piece for at, piece in enumerate(pieces) if at % 3 != 1).replace("\\\\", "")
        return resolved(text)

    def _expanded(self, found: re.Match[str]) -> str:
        if found["name"] not in self._macros:
            return (self.title or "") if found["name"] == "title" else ""
        arguments = (found["arguments"] or "").split(",")
        return re.sub(
            r"\$(\d)",
            lambda n: "".join(arguments[int(n[1]) - 1 : int(n[1])]).strip(),
            self._macros[found["name"]],
        )


def _label(found: re.Match[str]) -> str:
    if found["label"]:
        return "" if _PICTURE.search(found["label"]) and "/" in found["label"] else found["label"]
    target = re.sub(r"\A(?:file:|id:|\*|#)", "", found["target"])
    return "" if _PICTURE.search(target) else target
