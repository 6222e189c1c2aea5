"""Numbers with units in LaTeX, as the packages siunitx and units write them: "12.5 m/s". Pure."""

from __future__ import annotations

import re

_NAMES = """
    metre m meter m gram g kilogram kg second s ampere A kelvin K mole mol candela cd hertz Hz newton N pascal
    Pa joule J watt W coulomb C volt V farad F ohm Ω siemens S weber Wb tesla T henry H celsius °C
    degreeCelsius °C lumen lm lux lx becquerel Bq gray Gy sievert Sv katal kat radian rad steradian sr minute
    min hour h day d degree ° arcminute ′ arcsecond ″ litre L liter L tonne t electronvolt eV dalton Da bar
    bar percent % decibel dB bel B bit bit byte B hectare ha angstrom Å astronomicalunit au kilo k mega M giga
    G tera T peta P exa E milli m micro µ nano n pico p femto f atto a centi c deci d deca da hecto h kibi Ki
    mebi Mi gibi Gi kg kg g g mg mg km km cm cm mm mm um µm nm nm m m s s ms ms us µs ns ns Hz Hz kHz kHz MHz
    MHz GHz GHz N N kN kN Pa Pa kPa kPa MPa MPa J J kJ kJ W W kW kW MW MW V V mV mV kV kV A A mA mA K K eV eV
    keV keV MeV MeV GeV GeV kWh kWh l l ml ml L L mL mL mol mol F F pF pF dB dB
"""
_SYMBOLS = dict(zip(_NAMES.split()[::2], _NAMES.split()[1::2], strict=True))
_PREFIX_NAMES = """
    kilo mega giga tera peta exa milli micro nano pico femto atto centi deci deca hecto kibi mebi gibi
"""
_PREFIXES = frozenset(_PREFIX_NAMES.split())
_POWERS = {"squared": "²", "cubed": "³", "square": "²", "cubic": "³"}
_TOKEN = re.compile(r"\\([a-zA-Z]+)\s*|(?:\^?\{|\^)(-?\d+)\}?|([^\\{}\s^]+)")
_HIGH = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def shown(source: str) -> str:
    r"""The unit that macros name: "kg m/s²" for `\kilo\gram\metre\per\second\squared`. Others stay as they are."""
    units: list[str] = []
    prefix = power = ""
    divided = False
    for found in _TOKEN.finditer(source.replace("~", " ")):
        name, digits, literal = found.groups()
        if digits is not None or name in ("squared", "cubed"):
            if units:
                units[-1] += digits.translate(_HIGH) if digits is not None else _POWERS[name]
        elif name in ("square", "cubic"):
            power = _POWERS[name]
        elif name == "per":
            divided = True
        elif name in _PREFIXES:
            prefix = _SYMBOLS[name]
        elif name not in ("tothe", "raiseto", "of"):
            unit = prefix + (literal or _SYMBOLS.get(name, name)) + power
            units.append(f"/{unit}" if divided else unit)
            prefix, power, divided = "", "", False
    return " ".join(units).replace(" /", "/").replace("%", r"\%")


def quantity(command: str, arguments: list[str]) -> str:
    """What a command shows, as source: its numbers and its unit."""
    *numbers, unit = [*arguments, ""] if command in ("num", "numrange", "ang") else arguments
    if command == "numlist":
        numbers, unit = arguments[0].split(";"), ""
    mark = "°" if command == "ang" else f"~{shown(unit)}" if unit.strip() and numbers else shown(unit)
    return ("–" if "range" in command else ", ").join(each.strip() for each in numbers) + mark
