"""The answers of worker processes as MessagePack: data, and never code. Pure; used on the loop and in the workers.

An answer is decoded to the type that the function's annotation names: numbers, texts, lists, tuples, frozen dataclasses
and numpy arrays. Anything else is refused, so a worker that hostile input has taken over can give wrong data at worst.
A dataclass is an array of its name and its fields, a numpy array one of its type, shape and bytes.
"""

from __future__ import annotations

import builtins
import dataclasses
import traceback
import types
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgpack
import numpy as np

from semantik.core.errors import SemantikError

MAX_ITEMS = 8_000_000  # numbers and texts in one answer: they take many times their bytes once decoded
_MAX_NOTE = 20_000  # characters
_ARRAY_TYPES = {"<f2", "<f4"}
_SCALARS = (bool, int, float, str, bytes, type(None))
_SUCCEEDED, _FAILED = 0, 1
Decode = Callable[[Any], Any]


class BadAnswer(Exception):
    """The bytes are not the answer that the function can have given."""


class AnswerTooLarge(SemantikError):
    """The function has returned more bytes than its caller takes."""


def encode(result: Any, model_bytes: int) -> bytes:
    """The answer of a function that has returned; `model_bytes` as in `env.model_bytes`."""
    return _packed([_SUCCEEDED, model_bytes, result])


def encode_error(error: Exception, model_bytes: int) -> bytes:
    """The answer of a function that has raised. Of an error of another library, its name and message are left."""
    name, message, state = type(error).__name__, str(error), {}
    if isinstance(error, SemantikError):
        state = {key: value for key, value in vars(error).items() if type(value) in _SCALARS}
        note = ""
    else:
        note = "".join(traceback.format_exception(error))[-_MAX_NOTE:]
        if type(error).__module__ != "builtins":
            name, message = "RuntimeError", f"{name}: {message}"
    return _packed([_FAILED, model_bytes, [name, message, state, note]])


def decode(answer: bytes, result_type: Any) -> tuple[bool, Any, int]:
    """(True, result, model_bytes), or (False, error, model_bytes). Raises BadAnswer."""
    try:
        outcome, model_bytes, value = msgpack.unpackb(
            answer,
            list_hook=_Counter(MAX_ITEMS).count,
            max_array_len=MAX_ITEMS,
            max_map_len=1000,
            unicode_errors="surrogatepass",
        )
        model_bytes = _of_class(int)(model_bytes)
        if outcome == _FAILED:
            return False, _error(*value), model_bytes
        return True, _decoder(result_type)(value), model_bytes
    except BadAnswer:
        raise
    except Exception as error:  # msgpack raises half a dozen kinds, and a wrong shape any
        raise BadAnswer(f"{type(error).__name__}: {error}") from error


@cache
def result_type(function: Callable[..., Any]) -> Any:
    """What a function says that it returns; Any where it says nothing, and then only plain values are allowed."""
    try:
        return get_type_hints(function).get("return", Any)
    except TypeError:  # a builtin
        return Any


class _Counter:
    def __init__(self, most: int) -> None:
        self._left = most

    def count(self, items: list[Any]) -> list[Any]:
        self._left -= len(items) + 1
        if self._left < 0:
            raise BadAnswer(f"it has more than {MAX_ITEMS} values")
        return items


def _packed(value: Any) -> bytes:
    packed: bytes = msgpack.packb(value, default=_plain, unicode_errors="surrogatepass")
    return packed


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = (getattr(value, field.name) for field in dataclasses.fields(value))
        return [type(value).__name__, *fields]
    if isinstance(value, np.ndarray):
        return [value.dtype.str, list(value.shape), np.ascontiguousarray(value).tobytes()]
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a {type(value).__name__} cannot be sent by a worker process")


def _error(name: str, message: str, state: dict[str, Any], note: str) -> Exception:
    message, note = _of_class(str)(message), _of_class(str)(note)
    kind = _errors().get(name, RuntimeError)
    error = kind.__new__(kind, message)
    error.args = (message,)
    if isinstance(error, SemantikError):
        error.__dict__.update({key: _plain_value(value) for key, value in state.items()})
    if note:
        error.add_note(note[:_MAX_NOTE])
    return error


def _errors() -> dict[str, type[Exception]]:
    """The errors that a worker may raise in the server: those of the domain, and Python's own."""
    found: dict[str, type[Exception]] = {
        name: kind
        for name, kind in vars(builtins).items()
        if isinstance(kind, type) and issubclass(kind, Exception) and not issubclass(kind, UnicodeError)
    }
    waiting: list[type[SemantikError]] = [SemantikError]
    while waiting:
        kind = waiting.pop()
        found[kind.__name__] = kind
        waiting += kind.__subclasses__()
    return found


@cache
def _decoder(expected: Any) -> Decode:
    origin, arguments = get_origin(expected), get_args(expected)
    if expected is Any:
        return _plain_value
    if expected is float:
        return _number
    if expected is None or expected in _SCALARS:
        return _of_class(type(None) if expected is None else expected)
    if origin is Literal:
        return _of_literals(frozenset(arguments))
    if origin in (Union, types.UnionType):
        return _of_union(arguments)
    if expected is np.ndarray or origin is np.ndarray:
        return _array
    if origin is tuple and arguments[-1:] != (...,):
        return _of_tuple([_decoder(each) for each in arguments])
    if origin in (list, tuple, Sequence):
        return _of_sequence(arguments[0], list if origin is list else tuple)
    if origin is dict and arguments[0] is str:
        return _of_dict(_decoder(arguments[1]))
    if dataclasses.is_dataclass(expected):
        return _of_dataclasses([expected])
    raise BadAnswer(f"a worker cannot answer with {expected}")


def _of_class(expected: type) -> Decode:
    def decode_value(value: Any) -> Any:
        if type(value) is not expected:
            raise BadAnswer(f"{expected.__name__} is expected, not {type(value).__name__}")
        return value

    return decode_value


def _number(value: Any) -> float:
    if type(value) not in (int, float):
        raise BadAnswer(f"a number is expected, not {type(value).__name__}")
    return float(value)


def _of_literals(allowed: frozenset[Any]) -> Decode:
    def decode_literal(value: Any) -> Any:
        if value not in allowed:
            raise BadAnswer("it has a value that is not among those allowed")
        return value

    return decode_literal


def _of_union(members: Iterable[Any]) -> Decode:
    scalars = {type(None) if each is None else each for each in members if each is None or each in _SCALARS}
    others = [each for each in members if each is not None and each not in _SCALARS]
    if others and all(dataclasses.is_dataclass(each) for each in others):
        decode_other = _of_dataclasses(others)
    elif len(others) == 1:
        decode_other = _decoder(others[0])
    elif others:
        raise BadAnswer(f"a worker cannot answer with one of {others}")

    def decode_member(value: Any) -> Any:
        if type(value) in scalars:
            return value
        if not others:
            raise BadAnswer(f"it has a {type(value).__name__} that is not expected there")
        return decode_other(value)

    return decode_member


def _of_tuple(members: Sequence[Decode]) -> Decode:
    def decode_tuple(value: Any) -> tuple[Any, ...]:
        return tuple(member(each) for member, each in zip(members, value, strict=True))

    return decode_tuple


def _of_sequence(member: Any, made: type[list[Any]] | type[tuple[Any, ...]]) -> Decode:
    scalars = _scalars_of(member)
    decode_member = _decoder(member)
    is_list = _of_class(list)

    def decode_sequence(value: Any) -> Any:
        is_list(value)
        if scalars and scalars.issuperset(map(type, value)):
            return made(value)
        return made(map(decode_member, value))

    return decode_sequence


def _of_dict(member: Decode) -> Decode:
    is_text = _of_class(str)

    def decode_dict(value: Any) -> dict[str, Any]:
        return {is_text(key): member(each) for key, each in value.items()}

    return decode_dict


def _scalars_of(member: Any) -> frozenset[type]:
    """The classes of the member's values, where all of them are plain: a million are compared in some milliseconds."""
    members = get_args(member) if get_origin(member) in (Union, types.UnionType) else (member,)
    if not all(each is None or each in _SCALARS for each in members):
        return frozenset()
    return frozenset(type(None) if each is None else each for each in members)


def _of_dataclasses(kinds: Sequence[Any]) -> Decode:
    """One of the dataclasses; what their fields are is looked up when the first of them comes."""
    by_name = {kind.__name__: kind for kind in kinds}

    def decode_dataclass(value: Any) -> Any:
        name, *values = value
        if name not in by_name:
            raise BadAnswer("it has an object that is not expected there")
        kind = by_name[name]
        fields = zip(_field_decoders(kind), values, strict=True)
        return kind(**{field: decode_field(each) for (field, decode_field), each in fields})

    return decode_dataclass


@cache
def _field_decoders(kind: type) -> tuple[tuple[str, Decode], ...]:
    hints = get_type_hints(kind)
    return tuple((field.name, _decoder(hints[field.name])) for field in dataclasses.fields(kind))


def _array(value: Any) -> np.ndarray:
    kind, shape, content = value
    if kind not in _ARRAY_TYPES or not all(type(each) is int and each >= 0 for each in shape):
        raise BadAnswer("it has an array of an unexpected kind")
    return np.frombuffer(content, kind).reshape(shape).copy()  # what frombuffer returns cannot be changed


def _plain_value(value: Any) -> Any:
    if type(value) is list:
        return [_plain_value(each) for each in value]
    if type(value) is dict:
        return {_of_class(str)(key): _plain_value(each) for key, each in value.items()}
    if type(value) not in _SCALARS:
        raise BadAnswer(f"it has a {type(value).__name__}, which is no plain value")
    return value
