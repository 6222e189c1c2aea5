"""LaTeX as Markdown. Pure; no other file is read, and no command is run."""

from __future__ import annotations

import re

from pipeline.extraction import markdown
from pipeline.extraction.markdown_parts import fenced, table
from pipeline.extraction.markup import latex_packages, latex_source, latex_symbols
from pipeline.extraction.markup.blocks import joined
from pipeline.extraction.markup.latex_source import group
from pipeline.extraction.metadata.stated import iso_date
from semantik.core.metadata import split_tags

_TOKEN = re.compile(
    r"\\(?P<command>[a-zA-Z@]+)\*?|\\(?P<symbol>[^a-zA-Z])|(?P<math>\$\$?)|(?P<brace>[{}])|(?P<tie>~)|(?P<dash>-{2,3})"
    r"|(?P<quote>``|''|,,|`|\?`|!`)|(?P<german>\"[aouAOUsz`'=~-])"
)
_OPTION = re.compile(r"\s*\[(?:[^\[\]{}]|\{[^{}]*\}|\[[^\[\]]*\])*\]")
_OPENING = re.compile(r"\s*\{")
_SECTIONS = ("part", "chapter", "section", "subsection", "subsubsection", "paragraph", "subparagraph")
_SILENT = """
    documentclass usepackage RequirePackage label ref pageref eqref autoref cref Cref nameref vref includegraphics
    bibliographystyle bibliography addbibresource pagestyle thispagestyle input include subfile index color
    pagecolor vspace hspace setlength addtolength setcounter addtocounter stepcounter refstepcounter newtheorem
    theoremstyle hypersetup geometry rule pagenumbering addcontentsline newlength newcounter linespread fontsize
    selectlanguage bibentry nocite hyphenation graphicspath newenvironment renewenvironment lstset captionsetup
    usetikzlibrary tikzset definecolor colorlet vskip hskip cline cmidrule newif raisebox looseness
    foreignlanguage multirow let ProvidesPackage ProvidesFile NeedsTeXFormat DeclareMathOperator changes CheckSum
    GetFileInfo DocInput OnlyDescription CharacterTable enlargethispage newsavebox setbox sbox usebox newfont
    fontfamily fontseries fontshape usefont pdfbookmark markboth markright counterwithin numberwithin renewcommand
    newcommand
"""
_DROPPED = dict.fromkeys(_SILENT.split(), 1) | {
    "setlength": 2, "addtolength": 2, "setcounter": 2, "addtocounter": 2, "newtheorem": 2, "rule": 2,
    "addcontentsline": 3, "fontsize": 2, "newenvironment": 3, "renewenvironment": 3, "definecolor": 3,
    "colorlet": 2, "multirow": 2, "markboth": 2, "foreignlanguage": 1, "DeclareMathOperator": 2,
    "pdfbookmark": 2, "counterwithin": 2, "numberwithin": 2, "let": 0, "textcolor": 1, "colorbox": 1, "href": 1,
    "parbox": 1, "multicolumn": 2, "scalebox": 1, "resizebox": 2, "raisebox": 1, "renewcommand": 2,
    "newcommand": 2, "vskip": 0, "hskip": 0, "setbox": 0, "looseness": 0,
}  # fmt: skip
_BREAKS = frozenset(
    ("par", "newline", "linebreak", "maketitle", "tableofcontents", "newpage", "clearpage", "bigskip")
)
_MATH = re.compile(
    r"(?:equation|align|gather|multline|eqnarray|displaymath|math|flalign|alignat|IEEEeqnarray)\*?\Z"
)
_TABLES = re.compile(r"(?:tabular|tabularx|longtable|tabulary|array|supertabular|tabu)\*?\Z")
_PICTURES = {"tikzpicture", "picture", "pspicture", "pgfpicture", "asy", "forest"}
_LISTS = {"itemize": "- ", "enumerate": "1. ", "description": "- ", "compactitem": "- ", "compactenum": "1. "}
_GERMAN = {
    "a": "ä",
    "o": "ö",
    "u": "ü",
    "A": "Ä",
    "O": "Ö",
    "U": "Ü",
    "s": "ß",
    "z": "ß",
    "`": "„",
    "'": "“",
    "=": "-",
    "~": "-",
    "-": "",
}
_QUOTES = {"``": "“", "''": "”", ",,": "„", "`": "‘", "?`": "¿", "!`": "¡"}
_MAX_DEPTH = 40


class LatexText:
    """Reads one document; `title`, `author`, `date`, `tags` and `text` are the result."""

    def __init__(self, source: str) -> None:
        text, self._verbatim = latex_source.prepared(re.sub(r"\r\n?", "\n", source))
        text = latex_packages.rewritten(latex_source.expanded(latex_source.chosen(text)))
        preamble, begin, body = text.partition("\\begin{document}")
        body = body.partition("\\end{document}")[0] if begin else text
        self._german = bool(re.search(r"n?german|ngermanb", preamble))
        used = [name for name in _SECTIONS if re.search(rf"\\{name}\b", body)]
        self._level = dict.fromkeys(_SECTIONS, 1)
        self._blocks: list[str] = []
        self._lists: list[list[int | str]] = []
        self._depth = 0
        self.author = self._field("author", text)
        self.title = self._field("title", text)
        self.date = iso_date(self._field("date", text))
        keywords = re.search(r"pdfkeywords\s*=\s*\{([^{}]*)\}", preamble)
        self.tags = split_tags(keywords[1]) if keywords else ()
        top = _SECTIONS.index(used[0]) if used else 0
        self._level = {name: max(1, at - top + 1 + bool(self.title)) for at, name in enumerate(_SECTIONS)}
        self._level["frametitle"] = max([bool(self.title), *(self._level[name] for name in used)]) + 1
        parts = [
            f"# {self.title}" if self.title else "",
            self._field("subtitle", preamble) or "",
            self.author or "",
            self._field("institute", preamble) or "",
            *self._paragraphs(self._converted(body)),
        ]
        self.text = "\n\n".join(part for part in parts if part)

    def _field(self, name: str, text: str) -> str | None:
        found = re.search(rf"\\{name}(?:\[[^\]]*\])?\s*(?=\{{)", text)
        if not found:
            return None
        source = latex_packages.MARK_AFTER_NAME.sub("", group(text, found.end())[0])
        value = self._converted(re.sub(r"\s*\\and\b\s*", ", ", source)).replace("\x03", " ")
        return " ".join(value.split()) or None

    def _paragraphs(self, text: str) -> list[str]:
        parts = []
        for paragraph in re.split(r"\n[ \t]*\n\s*", text):
            lines = [joined(line) for line in paragraph.split("\x03")]
            plain = "\n".join(line for line in lines if line)
            plain = plain if plain.startswith("#") else markdown.literal(plain)
            plain = re.sub("\ue000(\\d+)\ue001", self._code, plain)
            parts.append(
                re.sub("\ue002(\\d+)\ue003", lambda block: self._blocks[int(block[1])], plain).replace(
                    "\x04", "#"
                )
            )
        return parts

    def _code(self, found: re.Match[str]) -> str:
        code, language, block = self._verbatim[int(found[1])]
        return fenced(code, language) if block else code

    def _put_block(self, text: str) -> str:
        self._blocks.append(re.sub("\ue000(\\d+)\ue001", self._code, text))
        return f"\n\n\ue002{len(self._blocks) - 1}\ue003\n\n"

    def _converted(self, text: str) -> str:
        """The text of some source; paragraphs are separated by blank lines, and lines that must stay by U+0003."""
        if self._depth > _MAX_DEPTH:
            return ""
        self._depth += 1
        pieces: list[str] = []
        at = 0
        while token := _TOKEN.search(text, at):
            pieces.append(text[at : token.start()])
            piece, at = self._token(token, text)
            pieces.append(piece)
        self._depth -= 1
        return "".join([*pieces, text[at:]])

    def _token(self, token: re.Match[str], text: str) -> tuple[str, int]:
        if token["command"]:
            return self._command(token["command"], text, token.end())
        if token["symbol"]:
            return self._symbol(token["symbol"], text, token.end())
        if token["math"]:
            end = text.find(token["math"], token.end())
            if end < 0 or end - token.end() > 20_000:
                return "$", token.end()
            return self._formula(text[token.end() : end], len(token["math"]) == 2), end + len(token["math"])
        if token["german"]:
            return (_GERMAN[token["german"][1]] if self._german else token["german"]), token.end()
        plain = {"tie": " ", "dash": "—" if token[0] == "---" else "–", "brace": ""}
        return _QUOTES.get(token[0], plain.get(token.lastgroup or "", token[0])), token.end()

    def _symbol(self, symbol: str, text: str, at: int) -> tuple[str, int]:
        if symbol in "([":
            end = text.find("\\" + {"(": ")", "[": "]"}[symbol], at)
            if end > 0:
                return self._formula(text[at:end], symbol == "["), end + 2
        if symbol == "\\":
            option = re.compile(r"\*?\s*\[[^\]\n]*\]|\*?").match(text, at)
            return "\x03", option.end() if option else at
        if symbol in latex_symbols.ACCENTS:
            letter = re.compile(r"\s*(?:\{(\\[ij]|[^{}\\]*)\}|(\\[ij](?![a-zA-Z]))[ \t]*|([^\s\\{}]))").match(
                text, at
            )
            if letter:
                return latex_symbols.accented(
                    symbol, letter[1] if letter[1] is not None else letter[2] or letter[3]
                ), letter.end()
        return (
            "\x04" if symbol == "#" else symbol if symbol in "%&$_{}" else " " if symbol in ", ;:\n" else ""
        ), at

    def _formula(self, source: str, displayed: bool) -> str:
        text = latex_symbols.mathematics(source)
        return self._put_block(text) if displayed else text.replace("\n", " ")

    def _command(self, name: str, text: str, at: int) -> tuple[str, int]:
        if name in ("begin", "end"):
            opening = _OPENING.match(text, at)
            if not opening:
                return "", at
            environment, end = group(text, opening.end() - 1)
            return self._begin(environment, text, end) if name == "begin" else (self._end(environment), end)
        if name in latex_symbols.LETTERS:
            space = re.compile(r"\{\}|[ \t]*\n?[ \t]*(?=\S)").match(text, at)
            letter = latex_symbols.LETTERS[name]
            return letter, space.end() if space and letter.isalpha() and len(name) <= 2 else at
        if name in latex_symbols.ACCENTS:
            accented = re.compile(r"\s*\{(\\[ij]|[^{}\\]{0,3})\}|\s+(\w)").match(text, at)
            if not accented:
                return "", at
            return latex_symbols.accented(name, accented[1] or accented[2] or ""), accented.end()
        if name == "item":
            return self._item(text, at)
        if name in _BREAKS:
            return ("\x03" if "line" in name else "\n\n"), at
        return self._with_arguments(name, text, at)

    def _with_arguments(self, name: str, text: str, at: int) -> tuple[str, int]:
        while option := _OPTION.match(text, at):
            at = option.end()
        if name in ("title", "author", "date", "thanks", "subtitle", "institute"):
            return "", self._arguments(text, at, 1)[1]
        if name in self._level:
            (title,), at = self._arguments(text, at, 1)
            return f"\n\n{'#' * min(6, self._level[name])} {' '.join(self._converted(title).split())}\n\n", at
        if name in ("footnote", "footnotetext", "endnote", "marginpar"):
            (note,), at = self._arguments(text, at, 1)
            return f" ({' '.join(self._converted(note).split())})", at
        if name in ("caption", "subcaption", "abstract", "framesubtitle"):
            (caption,), at = self._arguments(text, at, 1)
            return f"\n\n{self._converted(caption)}\n\n", at
        if re.fullmatch(r"(?:paren|text|foot|auto|full)?[cC]ite(?:p|t|alp|author|year)?", name):
            (keys,), at = self._arguments(text, at, 1)
            return f"[{keys}]", at
        if name == "bibitem":
            (key,), at = self._arguments(text, at, 1)
            return f"\n\n[{key}] ", at
        if name in ("url", "path", "nolinkurl"):
            (url,), at = self._arguments(text, at, 1)
            return url.replace("\\", ""), at
        at = self._arguments(text, at, _DROPPED.get(name, 0))[1]
        return "", at  # the braces of other commands are read as text

    def _arguments(self, text: str, at: int, count: int) -> tuple[list[str], int]:
        arguments = []
        for _ in range(count):
            opening = _OPENING.match(text, at)
            argument, at = group(text, opening.end() - 1) if opening else ("", at)
            while option := _OPTION.match(text, at) if opening and count > 1 else None:
                at = option.end()
            arguments.append(argument)
        return arguments, at

    def _begin(self, name: str, text: str, at: int) -> tuple[str, int]:
        closing = f"\\end{{{name}}}"
        if _MATH.match(name) or name in _PICTURES or _TABLES.match(name):
            end = text.find(closing, at)
            body = text[at : end if end >= 0 else len(text)]
            after = end + len(closing) if end >= 0 else len(text)
            if name in _PICTURES:
                return "\n\n", after
            return (self._tabular(name, body) if _TABLES.match(name) else self._formula(body, True)), after
        option = _OPTION.match(text, at)
        at = option.end() if option else at
        if name in _LISTS:
            self._lists.append([_LISTS[name], 0])
        if name in ("minipage", "multicols", "thebibliography", "wrapfigure", "adjustwidth", "list"):
            at = self._arguments(text, at, 2 if name in ("wrapfigure", "list") else 1)[1]
        return ("\n\nAbstract\n\n" if name == "abstract" else "\n\n"), at

    def _end(self, name: str) -> str:
        if name in _LISTS:
            del self._lists[-1:]
        return "\n\n"

    def _item(self, text: str, at: int) -> tuple[str, int]:
        mark = "- "
        if self._lists and self._lists[-1][0] == "1. ":
            self._lists[-1][1] = int(self._lists[-1][1]) + 1
            mark = f"{self._lists[-1][1]}. "
        if label := _OPTION.match(text, at):
            shown = self._converted(label[0].strip()[1:-1]).strip()
            mark, at = f"- {shown}{':' if shown[-1:].isalnum() else ''} " if shown else "- ", label.end()
        return f"\n\n{mark}", at

    def _tabular(self, name: str, body: str) -> str:
        width = 2 if name.rstrip("*") in ("tabularx", "tabulary") or name == "tabular*" else 1
        option = _OPTION.match(body)
        body = body[self._arguments(body, option.end() if option else 0, width)[1] :]
        captions = [
            self._converted(each[1]) for each in re.finditer(r"\\caption\{((?:[^{}]|\{[^{}]*\})*)\}", body)
        ]
        body = latex_source.without_second_header(body)
        body = re.sub(
            r"\\caption\{(?:[^{}]|\{[^{}]*\})*\}|\\(?:[hc]line|(?:top|mid|bottom)rule|endhead|endfirsthead|endfoot|endlastfoot|noalign)\b(?:\{[^{}]*\})?",
            "",
            body,
        )
        rows = []
        for line in re.split(r"\\\\(?:\*?\s*\[[^\]]*\])?|\\tabularnewline\b|\\cr\b", body):
            cells = [
                " ".join(self._converted(cell).replace("\x03", " ").split())
                for cell in re.split(r"(?<!\\)&", line)
            ]
            if any(cells):
                rows.append(cells)
        return "".join(f"\n\n{each}\n\n" for each in captions) + self._put_block(
            re.sub("\ue002\\d+\ue003", "", table(rows))
        )
