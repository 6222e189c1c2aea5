"""What the settings come to with and without tesseract, and which packages a missing part names."""

from __future__ import annotations

import pytest

from pipeline.extraction.recognition import installation
from pipeline.extraction.recognition.installation import Engine, default_languages, package_of, recognition


@pytest.fixture
def installed(monkeypatch):
    def install(*languages: str) -> None:
        engine = Engine("5.3.0", languages) if languages else None
        monkeypatch.setattr(installation, "find_engine", lambda: engine)

    return install


def test_the_real_engine_is_found():
    engine = installation.find_engine()
    assert engine is not None
    assert engine.version[0].isdigit()
    assert "eng" in engine.languages
    assert "osd" not in engine.languages


def test_without_the_program_its_package_is_named(installed):
    installed()
    found = recognition("auto", [])
    assert not found.is_ready
    assert found.reason == "its text can be read once the package tesseract-ocr is installed"


def test_switched_off(installed):
    installed("eng")
    assert recognition("off", []).reason == 'text in pictures is not read (documents.ocr = "off")'


def test_a_missing_language_is_a_warning_that_names_its_package(installed):
    installed("eng", "chi_sim")
    found = recognition("auto", ["eng", "deu"])
    assert (found.languages, found.version) == ("eng", "tesseract-5.3.0 eng")
    assert found.warning.startswith(
        "Text is recognised with eng only, until the package tesseract-ocr-deu is"
    )


def test_without_any_of_the_languages_nothing_is_recognised(installed):
    installed("eng")
    found = recognition("auto", ["deu", "chi_sim"])
    assert not found.is_ready
    assert found.reason == (
        "its text can be read once the packages tesseract-ocr-deu and tesseract-ocr-chi-sim are installed"
    )


def test_few_languages_are_all_used_english_first():
    assert default_languages(["deu", "eng", "fra"], {}) == ("eng", "deu", "fra")


def test_of_many_languages_that_of_the_system_is_used():
    many = ["ces", "deu", "eng", "fra", "pol"]
    assert default_languages(many, {"LANG": "cs_CZ.UTF-8"}) == ("eng", "ces")
    assert default_languages(many, {"LC_ALL": "fr_FR.UTF-8", "LANG": "pl_PL"}) == ("eng", "fra")
    assert default_languages(["ces", "deu", "fra", "pol", "rus"], {"LANG": "de_AT"}) == ("deu",)


def test_names_of_packages():
    assert [package_of(code) for code in ("deu", "chi_tra", "script/Latn")] == [
        "tesseract-ocr-deu",
        "tesseract-ocr-chi-tra",
        "tesseract-ocr-script-latn",
    ]
