"""Modules linked into few files: what is refused, and where each module goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from handlers.assets.linker import LinkError, link

WEB = Path(__file__).parents[3] / "handlers" / "web"


def _lines(text: str) -> list[str]:
    return text.splitlines()


def test_modules_are_called_in_the_order_in_which_they_need_each_other() -> None:
    linked = link(
        {
            "app.js": 'import { a, b as other } from "./b.js";\nimport * as all from "./c.js";\na(other, all);\n',
            "b.js": 'import { c } from "./c.js";\nexport const a = c;\nexport async function b() {}\n',
            "c.js": "export class c {}\n",
        },
        "app.js",
    )
    assert set(linked) == {"app.js"}
    lines = _lines(linked["app.js"])
    starts = [line for line in lines if line.startswith("const $")]
    assert starts == ["const $c = (() => {", "const $b = (() => {", "const $app = (() => {"]
    assert "const { a, b: other } = $b;" in lines and "const all = $c;" in lines
    assert "return { a, b };" in lines and "export { $c, $b, $app };" in lines


def test_what_several_views_need_comes_with_the_shell_and_is_not_sent_again() -> None:
    linked = link(
        {
            "app.js": 'import { dom } from "./dom.js";\nimport("./x-view.js");\nconst y = () => import("./y.js");\n',
            "dom.js": "export const dom = 1;\n",
            "table.js": 'import { dom } from "./dom.js";\nexport const table = dom;\n',
            "x-view.js": 'import { table } from "./table.js";\nexport function x() {}\n',
            "y.js": 'import {\n  table as t,\n} from "./table.js";\nimport { own } from "./own.js";\n'
            "export function y() {}\n",
            "own.js": "export const own = 2;\n",
        },
        "app.js",
    )
    assert set(linked) == {"app.js", "x-view.js", "y.js"}
    assert "$table =" in linked["app.js"]
    assert _lines(linked["x-view.js"])[0] == 'import { $table } from "./app.js";'
    assert _lines(linked["x-view.js"])[-1] == "export const { x } = $x_view;"
    assert "const $own" in linked["y.js"] and "const { table: t, } = $table;" in linked["y.js"]


def test_what_a_view_needs_and_the_shell_loads_on_demand_has_its_own_file() -> None:
    linked = link(
        {
            "app.js": 'const card = () => import("./card.js");\nconst view = () => import("./view.js");\n',
            "card.js": "export const card = 1;\n",
            "view.js": 'import { card } from "./card.js";\ncard();\n',
        },
        "app.js",
    )
    assert set(linked) == {"app.js", "card.js", "view.js"}
    assert "const $card =" in linked["card.js"]
    assert _lines(linked["view.js"])[0] == 'import { $card } from "./card.js";'


def test_a_view_that_the_shell_needs_at_once_can_still_be_loaded_on_demand() -> None:
    linked = link(
        {
            "app.js": 'import { view } from "./view.js";\nconst again = () => import("./view.js");\n',
            "view.js": "export const view = 1;\n",
        },
        "app.js",
    )
    assert linked["view.js"] == 'import { $view } from "./app.js";\nexport const { view } = $view;\n'


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("export default 1;", "export default 1;"),
        ("export let x = 1;", "export let x"),
        ("export const { a } = b;", "export const {"),
        ('export * from "./b.js";', "export *"),
        ('import b from "./b.js";', "import b"),
        ('import { x } from "elsewhere";', "elsewhere"),
        ('import { x } from "./missing.js";\n', "missing.js, which does not exist"),
        ('import { b } from "./b.js";\nexport const a = b;', "import each other"),
    ],
)
def test_what_cannot_be_linked_is_refused(text: str, word: str) -> None:
    with pytest.raises(LinkError, match=word.replace("*", r"\*").replace("{", r"\{")):
        link({"app.js": text, "b.js": 'import { a } from "./app.js";\nexport const b = 1;'}, "app.js")


def test_the_modules_of_the_page_are_linked_and_each_is_used_once() -> None:
    sources = {path.name: path.read_text() for path in WEB.glob("*.js")}
    linked = link(sources, "app.js")
    for name in sources:
        variable = "$" + name.removesuffix(".js").replace("-", "_")
        holders = [chunk for chunk, text in linked.items() if f"const {variable} = (" in text]
        assert len(holders) == 1, f"{name} is in {holders}: a module that nothing imports is dead"


def test_comments_and_indentation_are_left_out() -> None:
    text = "// what it is\n/** An\n * explanation. */\nexport function a() {\n"
    text += '  // why\n  return "// no comment"; // beside\n}\n'
    lines = _lines(link({"app.js": text}, "app.js")["app.js"])
    assert lines[1:4] == ["function a() {", 'return "// no comment"; // beside', "}"]


def test_a_literal_over_several_lines_is_refused() -> None:
    with pytest.raises(LinkError, match=r"app\.js: this literal goes over several lines: const a"):
        link({"app.js": "const a = `one\n  // two`;\n"}, "app.js")


def test_much_that_the_same_views_share_is_a_file_of_its_own_and_asked_for_beside_the_view() -> None:
    linked = link(
        {
            "app.js": "".join(f'const load_{name} = () => import("./{name}.js");\n' for name in "xyz"),
            "large.js": 'export const large = "%s";\n' % ("x" * 9000),
            "both.js": "export const both = 1;\n",
            "outer.js": 'import { large } from "./large.js";\nexport const outer = large;\n',
            "x.js": 'import { large } from "./large.js";\nimport { outer } from "./outer.js";\nlarge(outer);\n',
            "y.js": 'import { outer } from "./outer.js";\nimport { both } from "./both.js";\nouter(both);\n',
            "z.js": 'import { both } from "./both.js";\nboth();\n',
        },
        "app.js",
    )
    assert set(linked) == {"app.js", "shared-1.js", "x.js", "y.js", "z.js"}
    assert "$large =" in linked["shared-1.js"] and "$outer =" in linked["shared-1.js"]
    assert "$both =" in linked["app.js"] and "$large" not in linked["app.js"]
    beside = 'import("./shared-1.js").catch(() => {})'
    assert f'({beside}, import("./x.js"))' in linked["app.js"]
    assert 'const load_z = () => import("./z.js");' in linked["app.js"]
