"""Which of two versions of a message a person should read: its plain text or its HTML page.

Pure; runs in the worker processes. Both are given as text; neither parts nor charsets are known here.
"""

from __future__ import annotations

import re

# A script without spaces is compared character by character.
_WORD = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]|[^\W_]+")
_ADDRESS = re.compile(r"\b(?:https?://|www\.|mailto:|cid:)\S+|[\w.+-]+@[\w.-]+", re.IGNORECASE)
_SENTENCE = re.compile(r"[.!?。！？]+(?=\s|$)|\n\s*\n|[。！？]")
_MAX_STUB = 40  # words of a sentence that may be a stub
_BESIDE_STUB = 6  # words
_MAX_COMPARED = 300_000  # characters
_FEW = 0.02  # of the words of a text: so many may be missing in one that says the same

# "Open this in a browser", "your client cannot display HTML", in the languages of the senders that write it.
_STUB = re.compile(
    r"""html | browser | brauser | navigateur | navegador | navigatore | przegl[aą]dar | prohl[ií][zž]e | prehliada[cč]
    | selaim | webbl[aä]sar | nettleser | tarayıcı | b[oö]ng[eé]sz | trình\ duyệt | браузер | обозревател
    | πρόγραμμα\ περιήγησης
    | 浏览器 | 瀏覽器 | ブラウザ | 브라우저 | דפדפן | متصفح | เบราว์เซอร์
    | (?:e-?)?mail[ -]?(?:client|reader|viewer|program|software|app) | mailprogramm | e-?mail-?programm
    | mail\ user\ agent
    | programa\ de\ correo | logiciel\ de\ messagerie | client\ de\ messagerie | client\ di\ posta
    | почтов\w+\ (?:клиент|программ)
    | (?:web|online)[ -]?(?:version|ansicht|versie) | version\ en\ ligne | versi[oó]n\ (?:web|en\ l[ií]nea)
    | versione\ (?:web|online)
    | (?:view|read|see|open)\ (?:it\ |this\ (?:e-?mail|message|newsletter)\ )?online
    | trouble\ (?:viewing|reading|seeing) | (?:not|properly)\ display(?:ed|ing)? | mime[ -](?:aware|compliant|format)
    | plain[ -]text\ version | text[ -]only\ version | enable\ (?:images|pictures)""",
    re.VERBOSE | re.IGNORECASE,
)


def better_is_page(plain: str, page: str) -> bool:
    """Whether the text of the HTML page is to be read and not the plain one; the page where both say the same."""
    in_plain, in_page = _words(plain), _words(page)
    if not in_plain and not in_page:  # at most a request to open something
        return bool(page.strip()) or not plain.strip()
    if in_page and len(in_plain - in_page) <= max(2, _FEW * len(in_plain)):
        return True
    return len(in_page) >= len(in_plain)


def adds_words(text: str, known: str) -> bool:
    """Whether a text says more than one that is known."""
    words = _words(text)
    return len(words - _words(known)) > _FEW * len(words)


def _words(text: str) -> set[str]:
    """The words that tell something: none of addresses, nor of sentences that only ask to open something else."""
    text = _ADDRESS.sub(" ", text[:_MAX_COMPARED])
    words: set[str] = set()
    asks = False
    for sentence in _SENTENCE.split(text):
        found = _WORD.findall(sentence.casefold())
        if len(found) <= _MAX_STUB and _STUB.search(sentence):
            asks = True
        else:
            words.update(found)
    # "Click here" and "Dear customer" beside such a sentence tell nothing either.
    return set() if asks and len(words) <= _BESIDE_STUB else words
