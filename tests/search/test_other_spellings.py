"""What is found, and marked, when a query is spelled in another way than the document, among others that are alike."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.search_service import paths, search_fixture

from semantik.search.hits import SearchResult

pytestmark = pytest.mark.gen_test

_DOCUMENTS = {
    "part": "Spare part AB-1234/5: bearing for the left fan of the dryer.",
    "other-part": "Spare part AB-1243/5: housing for the left fan of the dryer.",
    "parcels": "Order number 1234 was delivered in 5 parcels on Monday, AB signed for it.",
    "account": "Please transfer the rent to IBAN DE89 3704 0044 0532 0130 00 before the third of each month.",
    "other-account": "Bitte an DE75512108001245126199 zahlen, und die Nummer der Rechnung angeben.",
    "telephone": "Mrs Okonkwo of the insurance: +49 (0) 30 1234-5678, mornings only.",
    "mobile": "The plumber Harding: 07700 900123.\nThe joiner Marsh: 07700 900456.",
    "book": "Borrowed from the library: The Reed Cutters, ISBN 978-3-16-148410-0, due in May.",
    "device": "The camera has the address 192.168.178.12, its MAC is 00:1A:2B:3C:4D:5E.",
    "version": "Release notes of v2.10: the exporter writes smaller files.",
    "other-version": "Release notes of v2.1: the exporter has a new dialogue.",
    "january": "On 31 January 2026 the boiler was inspected by the sweep.",
    "meter": "Am 14.03.2025 wurde der Zähler im Keller abgelesen.",
    "other-meter": "Am 13.04.2025 wurde der Zähler im Dachboden abgelesen.",
    "lease": "Le 1er août 2023, le gardien a remis les clefs.",
    "minutes": "The minutes are in Protokoll_2023-11-08_final.docx, the first page in IMG_20230514_101112.jpg.",
    "amount": "The invoice of the joiner: 1.234,56 € including tax.",
    "grouped": "Facture du serrurier : 9 876,50 € hors taxes.",
    "donation": "A donation of 5000 euros came from the Heron family.",
    "dishwasher": "The dishwasher shows E18 when the drain is blocked.",
    "fridge": "The fridge is at -18 °C, the cellar at 12 degrees.",
    "organ": "Jürgen Müller repariert die Orgel in der Kirche.",
    "clock": "Heinz Moeller repariert die Uhr am Rathaus.",
    "cabin": "Åse Kjærgård eier hytta ved fjorden.",
    "cello": "Chiara D'Angelo teaches the cello on Tuesdays.",
    "flute": "Angelo Russo teaches the flute on Tuesdays.",
    "chapel": "Siobhan O’Brien keeps the keys of the chapel.",
    "heat": "The heatpump hums at night; the e-mail about it is lost.",
    "noon": "The heat of noon dries the cellar; a mail about it came by post.",
    "well": "The pump of the well is old.",
    "code": "get_user_by_id gives a row, or nothing.",
    "gauge": "गीज़र की जाँच हर साल सर्दियों से पहले करें। हिन्दी में पंखे।",
    "floor": "П’ятий під’їзд: сім’я отримала ключі.",
    "boiler": "את הדוד צריך לבדוק כל שנה לפני החורף. צה״ל.",
    "pipes": "Before the first frost, drain the pipes of the summer kitchen behind the rain barrel.",
    "rain": "The rain makes a bar of sand at the mouth of the river, as a rel of the tide.",
}
# What is typed, the document that comes first, and what is marked in it.
_FOUND = [
    ("AB 1234/5", "part", ["AB", "1234", "5"]),
    ("AB1234", "part", ["AB", "1234"]),
    ("AB1234-5", "part", ["AB-1234/5"]),
    ("DE89370400440532013000", "account", ["DE89 3704 0044 0532 0130 00"]),
    ("de89 37040044 0532013000", "account", ["DE89 3704 0044 0532 0130 00"]),
    ("DE75 5121 0800 1245 1261 99", "other-account", ["DE75512108001245126199"]),
    ("030/12345678", "telephone", None),
    ("+49 30 1234 5678", "telephone", None),
    ("+493012345678", "telephone", None),
    ("0049 30 12345678", "telephone", None),
    ("07700900456", "mobile", ["07700 900456"]),
    ("+44 7700 900123", "mobile", ["07700 900123"]),
    ("9783161484100", "book", ["978-3-16-148410-0"]),
    ("192.168.178.12", "device", ["192.168.178.12"]),
    ("001a.2b3c.4d5e", "device", ["00:1A:2B:3C:4D:5E"]),
    ("2.10", "version", ["2.10"]),
    ("2.1", "other-version", ["2.1"]),
    ("2026-01-31", "january", ["31 January 2026"]),
    ("20260131", "january", ["31 January 2026"]),
    ("31-Jan-26", "january", ["31 January 2026"]),
    ("January 31, 2026", "january", ["31 January 2026"]),
    ("March 2025", "meter", ["14.03.2025"]),
    ("март 2025", "meter", ["14.03.2025"]),
    ("2023-08-01", "lease", ["1er août 2023,"]),
    ("08.11.2023", "minutes", ["2023-11-08"]),
    ("14.05.2023", "minutes", ["2023", "IMG_20230514_101112.jpg"]),
    ("1,234.56", "amount", ["1.234,56"]),
    ("1 234,56", "amount", ["1.234,56"]),
    ("9876.5", "grouped", ["9 876,50"]),
    ("5 000", "donation", ["5000"]),
    ("E 18", "dishwasher", ["E18"]),
    ("-18 °C", "fridge", ["18", "C"]),
    ("Mueller", "organ", ["Müller"]),
    ("Möller", "clock", ["Moeller"]),
    ("Aase Kjaergaard", "cabin", ["Åse", "Kjærgård"]),
    ("dangelo", "cello", ["D'Angelo"]),
    ("OʼBrien", "chapel", ["O’Brien"]),
    ("heat pump", "heat", ["heatpump"]),
    ("email", "heat", ["e-mail"]),
    ("getUserById", "code", ["get_user_by_id"]),
    ("गीजर जांच", "gauge", ["गीज़र", "जाँच"]),
    ("हिंदी पंखा", "gauge", ["हिन्दी", "पंखे"]),
    ("сімʼя", "floor", ["сім’я"]),
    ("דוד", "boiler", ["הדוד"]),
    ("צהל", "boiler", ["צה״ל"]),
    ("rain bar-\nrel", "pipes", ["rain", "barrel"]),
]


def _marked(result: SearchResult) -> list[str]:
    hit = result.hits[0]
    return [hit.chunk.text[start:end] for start, end in hit.highlights]


async def test_other_spellings_are_found_first_marked_and_not_corrected(tmp_path: Path) -> None:
    async with search_fixture(tmp_path) as search:
        await search.add(await search.collection(), {f"/{name}": [text] for name, text in _DOCUMENTS.items()})
        wrong = []
        for query, name, marked in _FOUND:
            result = await search.ask(query)
            found = paths(result)[0], _marked(result), result.corrections
            if found[0] != f"/{name}" or (marked is not None and found[1] != marked) or found[2]:
                wrong.append((query, *found))
        assert not wrong
