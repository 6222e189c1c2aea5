"""The files of other projects in handlers/web/vendor are those of the pinned npm packages, with their licences."""

from __future__ import annotations

import json

from support.axe import WEB_PACKAGES, needs_web_packages
from support.server import ROOT

_VENDORED = ROOT / "handlers" / "web" / "vendor" / "pdfjs"
_ORIGINS = {
    "pdf.min.mjs": "legacy/build",
    "pdf.worker.min.mjs": "legacy/build",
    "jbig2_nowasm_fallback.js": "wasm",
    "openjpeg_nowasm_fallback.js": "wasm",
    "standard_fonts/FoxitSymbol.pfb": "",
    "standard_fonts/FoxitDingbats.pfb": "",
    "standard_fonts/LICENSE_FOXIT": "",
    "LICENSE": "",
    "LICENSE_JBIG2": "wasm",
    "LICENSE_OPENJPEG": "wasm",
    "LICENSE_PDFJS_JBIG2": "wasm",
    "LICENSE_PDFJS_OPENJPEG": "wasm",
}


@needs_web_packages
def test_the_files_of_pdfjs_are_those_of_its_package() -> None:
    maps = {f"cmaps/{path.name}": "" for path in (WEB_PACKAGES / "pdfjs-dist" / "cmaps").iterdir()}
    origins = _ORIGINS | maps
    present = {str(path.relative_to(_VENDORED)) for path in _VENDORED.rglob("*") if path.is_file()}
    assert present == set(origins)
    for name, folder in origins.items():
        published = (WEB_PACKAGES / "pdfjs-dist" / folder / name).read_bytes()
        assert (_VENDORED / name).read_bytes() == published, name


def test_the_version_is_the_pinned_one() -> None:
    pinned = json.loads((ROOT / "tests" / "web_packages" / "package.json").read_text())["dependencies"][
        "pdfjs-dist"
    ]
    for name in ("pdf.min.mjs", "pdf.worker.min.mjs"):
        assert f"pdfjsVersion = {pinned}" in (_VENDORED / name).read_text("utf-8")[:3000]
