"""AsciiDoc as Markdown. Pure; nothing is included, and attributes are replaced by what the text itself defines."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.extraction import markdown
from pipeline.extraction.markdown_parts import fenced, table
from pipeline.extraction.markup import asciidoc_inline, asciidoc_tables
from pipeline.extraction.metadata.stated import iso_date
from semantik.core.metadata import split_tags

_HEADING = re.compile(r"(?P<marks>={1,6}|#{1,6})[ \t]+(?P<title>\S.*?)(?:[ \t]+=+)?\Z")
_UNDERLINES = "=-~^+"
_ATTRIBUTE = re.compile(r":(?P<name>!?[\w][\w-]*!?):(?:[ \t]+(?P<value>.*)|[ \t]*)\Z")
_DIRECTIVE = re.compile(r"(?P<name>ifdef|ifndef|ifeval|endif|include)::(?P<target>[^\[]*)\[(?P<text>.*)\]\Z")
_BLOCK_MACRO = re.compile(
    r"(?P<name>image|video|audio|toc|btn|footnote)::?(?P<target>[^\[\s]*)\[(?P<text>.*)\]\Z"
)
_BLOCK_ATTRIBUTES = re.compile(r"\[(?:[\w\"'#.%@{*,<>^=|!+-].*|)\][ \t]*\Z")
_TITLE = re.compile(r"\.(?P<title>[^\s.].*)\Z")
_DELIMITER = re.compile(r"(-{4,}|\.{4,}|={4,}|\*{4,}|_{4,}|\+{4,}|/{4,}|--|`{3,}\w*)[ \t]*\Z")
_TABLE = re.compile(r"[|,:!]={3,}[ \t]*\Z")
_ITEM = re.compile(
    r"[ \t]*(?P<mark>\*{1,6}|-|\.{1,6}|\d+\.|[a-zA-Z]\.|<[\d.]+>)[ \t]+(?:\[[ xX*]\][ \t]+)?(?=\S)"
)
_TERM = re.compile(r"[ \t]*(?P<term>\S.{0,300}?)(?:::{1,3}|;;)(?:[ \t]+(?P<text>.*)|[ \t]*)\Z")
_ADMONITION = re.compile(r"(?P<kind>NOTE|TIP|IMPORTANT|CAUTION|WARNING):[ \t]+")
_KINDS = {"NOTE", "TIP", "IMPORTANT", "CAUTION", "WARNING"}
_SKIPPED_ATTRIBUTES = re.compile(r"\[\[|\[#")


class AsciiDoc:
    """Reads one document; `title`, `author`, `date`, `tags` and `text` are the result."""

    def __init__(self, source: str) -> None:
        self.title: str | None = None
        self._authors = ""
        self._attributes: dict[str, str] = {}
        self._parts: list[str] = []
        self._words: list[str] = []
        self._mark = ""
        self._style = ""
        self._skipping: list[bool] = []
        self._depth = 0
        self._read([line.rstrip() for line in re.sub(r"\r\n?", "\n", source).split("\n")])
        self.text = "\n\n".join(part for part in self._parts if part)
        attributes = self._attributes
        self.author = attributes.get("authors") or attributes.get("author") or self._authors or None
        self.date = iso_date(attributes.get("revdate") or attributes.get("date"))
        self.tags = split_tags(attributes.get("keywords", ""))

    def _plain(self, text: str) -> str:
        return asciidoc_inline.plain(text, self._attributes)

    def _read(self, lines: Sequence[str]) -> None:
        at = 0
        while at < len(lines):
            at = self._step(lines, at)
        self._flush()

    def _step(self, lines: Sequence[str], at: int) -> int:
        """Reads what begins at a line, and returns where it ends."""
        line = lines[at]
        if directive := _DIRECTIVE.match(line):
            self._directive(directive["name"], directive["target"], directive["text"])
            return at + 1
        if any(self._skipping) or (line.startswith("//") and not line.startswith("////")):
            return at + 1
        for read in (self._delimited, self._table, self._heading, self._setting, self._item):
            if (end := read(lines, at)) is not None:
                return end
        if line in ("", "+"):
            self._flush()
        elif line[0] in " \t" and not self._words:
            end = next((n for n in range(at, len(lines)) if not lines[n] or lines[n] == "+"), len(lines))
            self._parts.append(fenced("\n".join(lines[at:end])))
            return end
        else:
            self._words.append(line)
        return at + 1

    def _directive(self, name: str, target: str, text: str) -> None:
        if name == "endif":
            del self._skipping[-1:]
        elif name != "include":
            names = re.split(r"[,+]", target)
            known = [each.strip() in self._attributes for each in names]
            shown = {"ifdef": any(known) if "," in target else all(known), "ifndef": not any(known)}.get(
                name, True
            )
            if text and name != "ifeval":
                if shown and not any(self._skipping):
                    self._words.append(text)
            else:
                self._skipping.append(not shown)

    def _delimited(self, lines: Sequence[str], at: int) -> int | None:
        line = lines[at]
        found = _DELIMITER.match(line)
        if not found or self._is_underline(lines, at):
            return None
        closing = "```" if line.startswith("```") else line
        end = next((n for n in range(at + 1, len(lines)) if lines[n] == closing), len(lines))
        body, style = lines[at + 1 : end], self._style
        self._flush()
        self._style = ""
        kind = style.split(",")[0].split("%")[0].strip()
        if (line[0] in "-.`" and line != "--") or kind in (
            "source",
            "listing",
            "literal",
            "latexmath",
            "stem",
        ):
            language = (
                style.split(",")[1].strip()
                if kind == "source" and "," in style
                else line.strip("`")
                if line[0] == "`"
                else ""
            )
            code = [re.sub(r"[ \t]*(?:(?://|#|;;|--)?[ \t]*<\d+>)+\Z", "", each) for each in body]
            self._parts.append(
                fenced("\n".join(code), language if re.fullmatch(r"[\w+#.-]*", language) else "")
            )
        elif line[0] == "/" or kind == "comment":
            pass
        elif line[0] == "+":
            self._parts.append(re.sub(r"<[^<>]{0,500}>", "", "\n".join(body)))
        elif kind == "verse":
            self._parts.append("\n".join(self._plain(each) for each in body))
            self._attribute(style)
        elif self._depth < 20:
            self._depth += 1
            self._parts += [kind.capitalize() + ":"] if kind in _KINDS else []
            self._read(body)
            self._depth -= 1
            self._attribute(style)
        return end + 1

    def _attribute(self, style: str) -> None:
        """Whom a quotation is of, below it."""
        kind, *who = (part.strip().strip("\"'") for part in style.split(",")[:3])
        if kind in ("quote", "verse") and any(who):
            self._parts.append(f"— {self._plain(', '.join(part for part in who if part))}")

    def _is_underline(self, lines: Sequence[str], at: int) -> bool:
        """Whether a line of `----` is that below a title, which has its length."""
        above = lines[at - 1] if at else ""
        return (
            len(self._words) == 1
            and bool(above)
            and abs(len(above) - len(lines[at])) <= 2
            and lines[at][0] in _UNDERLINES
        )

    def _table(self, lines: Sequence[str], at: int) -> int | None:
        if not _TABLE.match(lines[at]):
            return None
        end = next((n for n in range(at + 1, len(lines)) if lines[n] == lines[at]), len(lines))
        self._flush()
        style, self._style = self._style, ""
        rows = asciidoc_tables.rows(lines[at + 1 : end], style, lines[at][0], self._plain)
        self._parts.append(table(rows))
        return end + 1

    def _heading(self, lines: Sequence[str], at: int) -> int | None:
        line = lines[at]
        below = lines[at + 1] if at + 1 < len(lines) else ""
        if found := _HEADING.match(line):
            level, title, end = len(found["marks"]), found["title"], at + 1
        elif (
            not self._words
            and below
            and below[0] in _UNDERLINES
            and below == below[0] * len(below)
            and len(below) > 1
        ):
            if abs(len(line) - len(below)) > 2 or not re.search(r"\w", line) or line[0] in "[.:|":
                return None
            level, title, end = _UNDERLINES.index(below[0]) + 1, line, at + 2
        else:
            return None
        self._flush()
        title = self._plain(title)
        if self._style.startswith(("discrete", "float")):
            self._style = ""
        self._parts.append(f"{'#' * level} {title}")
        if level == 1 and not self.title and len(self._parts) == 1:
            self.title = title
            return self._header(lines, end)
        return end

    def _header(self, lines: Sequence[str], at: int) -> int:
        """The lines of the author, the revision and the attributes, up to the first blank one."""
        authors: list[str] = []
        while at < len(lines) and lines[at]:
            if not (_ATTRIBUTE.match(lines[at]) or _DIRECTIVE.match(lines[at]) or lines[at].startswith("//")):
                if len(authors) >= 2 or _BLOCK_ATTRIBUTES.match(lines[at]):
                    break
                authors.append(re.sub(r"\s*<[^<>]*>", "", self._plain(lines[at])))
                at += 1
            else:
                at = self._step(lines, at)
        if authors:
            self._authors = authors[0]
            self._parts.append("\n".join(authors))
        return at

    def _setting(self, lines: Sequence[str], at: int) -> int | None:
        """An attribute, a line of block attributes, a title, a picture."""
        line = lines[at]
        if attribute := _ATTRIBUTE.match(line):
            value = attribute["value"] or ""
            while value.endswith((" \\", " +")) and at + 1 < len(lines):
                at += 1
                value = value[:-2].rstrip() + " " + lines[at].strip()
            if "!" in attribute["name"]:
                self._attributes.pop(attribute["name"].strip("!").lower(), None)
            else:
                self._attributes[attribute["name"].lower()] = self._plain(value)
        elif macro := _BLOCK_MACRO.match(line):
            self._flush()
            self._parts.append(
                self._plain(asciidoc_inline.alternative(macro["text"])) if macro["name"] == "image" else ""
            )
        elif not self._words and _BLOCK_ATTRIBUTES.match(line):
            if not _SKIPPED_ATTRIBUTES.match(line):
                self._style = line[1:].rstrip("] \t")
        elif not self._words and (title := _TITLE.match(line)):
            self._parts.append(self._plain(title["title"]))
        elif line in ("'''", "<<<", "---", "***") and not self._words:
            self._flush()
        else:
            return None
        return at + 1

    def _item(self, lines: Sequence[str], at: int) -> int | None:
        line = lines[at]
        if found := _ITEM.match(line):
            self._flush()
            self._mark = "- " if found["mark"][0] in "*-." else f"{found['mark']} "
            self._words = [line[found.end() :]]
            return at + 1
        term = _TERM.match(line)
        if term and not self._words_run_on():
            self._flush()
            self._mark = "- "
            text = (term["text"] or "").strip()
            end = at + 1
            while (
                not text and end < len(lines) and not lines[end]
            ):  # the description may follow after a blank line
                end += 1
            following = lines[end] if end < len(lines) else ""
            listed = (
                _TERM.match(following)
                or _ITEM.match(following)
                or _DELIMITER.match(following)
                or following == "+"
            )
            if not text and following and not listed and not following.startswith(("[", "=", ".", "|")):
                text, end = following.strip(), end + 1
            elif not text:
                end = at + 1
            self._words = [f"{term['term']}: {text}" if text else term["term"]]
            return end
        return None

    def _words_run_on(self) -> bool:
        return bool(self._words) and not self._mark

    def _flush(self) -> None:
        if not self._words:
            return
        kind = self._style.split(",")[0].strip()
        text = self._plain("\n".join(self._words))
        admonition = _ADMONITION.match(text)
        if admonition:
            text = f"{admonition['kind'].capitalize()}: {text[admonition.end() :]}"
        elif kind in _KINDS:
            text = f"{kind.capitalize()}: {text}"
        if kind in ("source", "listing", "literal"):
            self._parts.append(fenced("\n".join(self._words)))
        else:
            joined = (
                text if kind == "verse" else " ".join(text.replace(" +\n", "\0").split()).replace("\0", "\n")
            )
            self._parts.append(self._mark + markdown.literal(joined))
            self._attribute(self._style)
        self._words, self._mark, self._style = [], "", ""
