"""The functions and classes of source code in each language, and the chunks that they make."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import pytest
from support.extracted import LIMIT, NOISE, extract, file

from pipeline.extraction.code.outline import LANGUAGES, outline
from pipeline.extraction.outline import Outline
from pipeline.extraction.text_formats import SOURCE_CODE

# Language: source code, and for some of its words the headings that apply to them.
SOURCES: dict[str, tuple[str, dict[str, str | None]]] = {
    "python": (
        '''"""Weirs."""
import os

LIMIT = 3


# Opens the weir.
@cached
def open_weir(
    height,
    text="""
def no():
""",
):
    return height


class Sluice(Base):
    """Doc.

Flush text.
    """
    gate = 1

    async def lift(self):
        def inner():
            pass
        return inner


if __name__ == "__main__":
    main()
''',
        {
            "import": None, "Opens": "open_weir", "return height": "open_weir", "Flush": "Sluice", "gate": "Sluice",
            "return inner": "Sluice › lift", "main()": None,
        },
    ),
    "c": (
        """#include <stdio.h>
#define GATE(x) { x
/* Opens the weir. */
static int
open_weir (int height, char *name)
{
  if (height) { puts("}"); }
  return height;
}
int sizes[] = { 1, 2 };
namespace water {
template <typename T>
class Sluice : public Base<T> {
 public:
  Sluice(int gates) : gates_(gates), open_{0} { start(); }
  bool operator==(const Sluice &other) const noexcept { return same; }
};
}
std::vector<int> water::Weir::levels(std::function<void(int)> each) const { return all; }
""",
        {
            "Opens": "open_weir", "return height": "open_weir", "sizes": None, "start()": "water › Sluice › Sluice",
            "same": "water › Sluice › operator==", "return all": "water::Weir::levels",
        },
    ),
    "java": (
        """package water;
/** Many gates. */
@Entity(name = "sluice")
public final class Sluice<T extends Gate & Lock> extends Base<T> {
    private static final int[] SIZES = { 1, 2 };
    /** Lifts. */
    @Inject
    public <R> R lift(Map<String, List<R>> gates) throws IOException { return gates.get("{"); }
    enum Kind { SMALL }
}
""",
        {
            "package": None, "Many": "Sluice", "SIZES": "Sluice", "Lifts": "Sluice › lift",
            "gates.get": "Sluice › lift", "SMALL": "Sluice › Kind",
        },
    ),
    "csharp": (
        """namespace Water.Works {
    [Serializable]
    public class Sluice : Base<int> {
        public Sluice(int gates) : base(gates) { Start(); }
        [HttpGet("gates")]
        public async Task<List<int>> LiftAsync(string path, int n = 3) { var s = @"c:\\"; return all; }
    }
}
""",
        {"Start()": "Water.Works › Sluice › Sluice", "return all": "Water.Works › Sluice › LiftAsync"},
    ),
    "kotlin": (
        "package water\nimport gates\n\ndata class Weir(val height: Int) {\n    fun open(): Int { return height }\n}\n"
        'fun String.shout(): String {\n    return "$this!"\n}\n',
        {"return height": "Weir › open", "this": "String.shout"},
    ),
    "scala": (
        "object Weir extends App {\n  def open(height: Int): Int = {\n    height\n  }\n}\n",
        {"    height": "Weir › open"},
    ),
    "swift": (
        "class Weir: Gate {\n  init(height: Int) { start() }\n  func open(_ by: Int) -> Int { return by }\n}\n",
        {"start": "Weir › init", "return by": "Weir › open"},
    ),
    "go": (
        "package water\n\nimport (\n\t\"fmt\"\n)\n\n// Weir holds.\ntype Weir struct {\n\theight int\n}\n\n"
        "// Open opens.\nfunc (w *Weir) Open(by int) (err error) {\n\tgo func() { }()\n\treturn nil\n}\n",
        {"holds": "Weir", "height": "Weir", "opens": "Open", "return nil": "Open"},
    ),
    "rust": (
        "/// A weir.\n#[derive(Debug)]\npub struct Weir<'a> { name: &'a str }\nimpl<'a> fmt::Display for Weir<'a> {\n"
        "    /// Makes.\n    pub fn new(name: &'a str) -> Self { match x { '{' => go(), _ => {} } }\n}\n"
        "pub(crate) fn open<F: Fn(i32) -> i32>(f: F) where F: Send { shut() }\n",
        {"A weir": "Weir", "name": "Weir", "Makes": "Weir › new", "go()": "Weir › new", "shut()": "open"},
    ),
    "javascript": (
        "import { a } from 'b'\n/** Opens. */\nexport default async function open({ height, by = {} }, ...more) {\n"
        "  return height\n}\nconst shut = async (weir) => {\n  return `{ ${weir}`\n}\nconst mark = /[\"'{]/g\n"
        "class Weir extends Gate {\n  level = 1\n  constructor(height) {\n    super(height)\n  }\n}\n"
        "module.exports = { drain: function () { empty() } }\n",
        {
            "Opens": "open", "return height": "open", "return `": "shut", "level": "Weir",
            "super": "Weir › constructor", "empty()": "drain",
        },
    ),
    "typescript": (
        "@Injectable()\nexport class Weir<T extends Gate> implements Store {\n"
        "  async find(id: string, opts: { a: number } = { a: 1 }): Promise<Map<string, T>> {\n    return all\n  }\n}\n"
        "interface Gate { height: number }\n",
        {"return all": "Weir › find", "height": "Gate"},
    ),
    "php": (
        "<?php\nnamespace Water;\n/** Gates */\nclass Sluice extends Base\n{\n    private $mark = '{';\n"
        "    public function lift(Gate $gate): array\n    {\n        return [];\n    }\n}\n",
        {"Gates": "Sluice", "return": "Sluice › lift"},
    ),
    "perl": (
        "package Water;\n=head1 sub no { }\n\n=cut\n\n# Opens.\n"
        "sub open_weir {\n  my %h = (a => { b => 1 });\n}\n",
        {"Opens": "open_weir", "b =>": "open_weir"},
    ),
    "ruby": (
        "module Water\n  # A weir.\n  class Weir < Gate\n    def open!(by)\n      @by = by\n    end\n"
        "  end\nend\nputs 1\n",
        {"A weir": "Water › Weir", "@by": "Water › Weir › open!", "puts": None},
    ),
    "lua": (
        "local M = {}\n--[[ function no() end ]]\n\n-- Opens.\nfunction M.open(by)\n  return by\nend\n"
        "M.shut = function(a)\n  return a\nend\n",
        {"local": None, "Opens": "M.open", "return by": "M.open", "return a": "M.shut"},
    ),
    "shellscript": (
        "set -e\n\n# Says how.\nusage() {\n    cat <<END\nno() {\nEND\n}\nfunction build\n{\n    make all\n}\nusage\n",
        {"set": None, "Says": "usage", "no()": "usage", "make": "build"},
    ),
    "sql": (
        "-- Weirs.\nCREATE TABLE IF NOT EXISTS water.weirs (height int);\n"
        "create or replace function open_weir(height int) returns int as $$ begin return height; end $$;\n",
        {"Weirs": "water.weirs", "return height": "open_weir"},
    ),
}  # fmt: skip


def test_every_language_has_an_outline_and_a_test() -> None:
    assert set(SOURCE_CODE) == LANGUAGES == set(SOURCES)


@pytest.mark.parametrize("language", SOURCES)
def test_words_stand_below_their_function(language: str) -> None:
    source, expected = SOURCES[language]
    found = Outline(source, (), outline(source, language))
    actual = {word: found.heading_path(source.index(word), source.index(word) + 1) for word in expected}
    assert actual == expected


@pytest.mark.parametrize("language", SOURCES)
def test_headings_are_in_order_and_inside_the_source(language: str) -> None:
    source, _ = SOURCES[language]
    for text in (
        source,
        source[: len(source) // 2],
        source * 3,
        NOISE.decode("latin-1"),
        "",
        "{" * 500,
        "}" * 500,
    ):
        headings = outline(text, language)
        assert all(one.start <= other.start for one, other in pairwise(headings))
        assert all(0 <= each.start <= each.end <= len(text) and each.level >= 1 for each in headings)


@pytest.mark.parametrize("language", SOURCES)
def test_the_time_is_linear(language: str) -> None:
    source, _ = SOURCES[language]
    for text in (
        source * 300,
        "(" * 100_000,
        "{" * 100_000,
        "a " * 50_000,
        '"' * 100_001,
        "\n" * 100_000,
        "x(\n" * 33_333,
    ):
        started = time.process_time()
        assert len(outline(text, language)) <= 400 + len(text) / 75
        assert time.process_time() - started < 6


def test_a_file_of_source_code_is_its_own_text_with_an_outline(tmp_path: Path) -> None:
    source, _ = SOURCES["java"]
    found = extract(file(tmp_path, "Sluice.java", source.encode()), LIMIT)
    assert (found.text, found.markdown) == (source, False)
    assert [each.title for each in found.outline if each.title] == ["Sluice", "lift", "Kind"]
