"""Hashes of Python values, which are the same in every process and on every machine."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import fractions
import hashlib
import pathlib
import re
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from headway.data import compute as pc
from headway.data.fingerprint import fingerprint
from headway.errors import DataError

__all__ = ["Values", "plain"]

_BY_REPR = (
    *(bool, int, float, complex, str, bytes, bytearray, type(None), type(Ellipsis), range, slice),
    *(datetime.date, datetime.time, datetime.timedelta, datetime.tzinfo),
    *(decimal.Decimal, fractions.Fraction, pathlib.PurePath, np.generic, np.dtype),
    *(pa.DataType, pa.Field, pa.Schema),
)


_PLAIN = 36  # characters


def plain(value: Any) -> str | None:
    """A value that is short enough to be shown instead of its hash, as Python writes it.

    >>> plain([1, "a"]), plain("a" * 50)
    ("[1, 'a']", None)
    """
    items = value if isinstance(value, list | tuple) else [value]
    simple = all(type(item) in (bool, int, float, str, type(None)) for item in items)
    written = repr(value) if simple and len(items) < _PLAIN else ""
    return written if 0 < len(written) <= _PLAIN else None


class Values:
    """Hashes values; functions and classes that it meets are given to `code`, which names them.

    A value with a `fingerprint` (a string, or a method that gives one) is known by that.
    """

    def __init__(self, code: Callable[[Any, str], str]) -> None:
        self._code = code
        self._open: list[int] = []  # the values around the present one

    def hash(self, value: Any, place: str) -> str:
        """64 hexadecimal digits.

        Raises:
            DataError: nothing can be told about the value; `place` says where it is.
        """
        return hashlib.sha256(self._bytes(value, place)).hexdigest()

    def _bytes(self, value: Any, place: str) -> bytes:
        kind = type(value)
        if isinstance(value, _BY_REPR) and not isinstance(value, enum.Enum):
            return f"{kind.__qualname__} {value!r}".encode(errors="surrogatepass")
        if id(value) in self._open:  # a value that holds itself
            return f"again {len(self._open) - self._open.index(id(value))}".encode()
        self._open.append(id(value))
        try:
            return f"{kind.__qualname__} ".encode() + self._parts(value, place)
        finally:
            self._open.pop()

    def _parts(self, value: Any, place: str) -> bytes:
        own = getattr(value, "fingerprint", None)
        if own is not None and not isinstance(value, type):
            return str(own() if callable(own) else own).encode()
        if isinstance(value, enum.Enum):
            return f"{self._code(type(value), place)} {value.name}".encode()
        if isinstance(value, list | tuple):
            return self._all(value, place)
        if isinstance(value, set | frozenset):
            return b"".join(sorted(bytes.fromhex(self.hash(item, place)) for item in value))
        if isinstance(value, Mapping):
            return self._all([item for pair in value.items() for item in pair], place)
        if isinstance(value, np.ndarray):
            return self._array(value, place)
        if isinstance(value, np.random.Generator):
            return self._bytes(value.bit_generator.state, place)
        if isinstance(value, pc.Expression):  # whose text leaves out the middle of long lists
            return b"".join(bytes(part) for part in value.__reduce__()[1])
        if isinstance(value, pa.Table):
            return fingerprint(value).encode()
        if isinstance(value, pa.Array | pa.ChunkedArray):
            return fingerprint(pa.table({"": value})).encode()
        if isinstance(value, re.Pattern) or type(value).__module__ in ("_regex", "regex"):
            return f"{value.pattern!r} {value.flags}".encode()
        if isinstance(value, type | types.FunctionType | types.MethodType):
            return self._code(value, place).encode()
        if isinstance(value, types.BuiltinFunctionType | types.ModuleType):
            return f"{getattr(value, '__module__', '')} {value.__name__}".encode()
        if hasattr(value, "detach") and hasattr(value, "numpy"):  # a tensor of torch's
            return self._array(value.detach().cpu(), place)
        return self._object(value, place)

    def _all(self, items: Any, place: str) -> bytes:
        return b"".join(bytes.fromhex(self.hash(item, place)) for item in items)

    def _array(self, array: Any, place: str) -> bytes:
        array = np.asarray(array)
        head = f"{array.dtype.str} {array.shape}".encode()
        if array.dtype.hasobject:
            return head + self._all(array.ravel().tolist(), place)
        return head + np.ascontiguousarray(array).tobytes()

    def _object(self, value: Any, place: str) -> bytes:
        """An object by its class and its attributes."""
        kind = type(value)
        if dataclasses.is_dataclass(value):
            names = [field.name for field in dataclasses.fields(value)]
        elif kind.__flags__ & _HEAP and "__reduce_ex__" not in vars(kind):
            slots = [n for each in kind.__mro__ for n in _slots(each) if hasattr(value, n)]
            names = [*sorted(getattr(value, "__dict__", {})), *sorted(slots)]
        else:
            raise DataError(
                f"{place} is a {kind.__module__}.{kind.__qualname__}, of which it cannot be told "
                "whether it has changed",
                next_step="make it inside of the function",
            )
        state = {name: getattr(value, name) for name in names}
        return self._code(kind, place).encode() + self._bytes(state, place)


_HEAP = 1 << 9  # a class that is written in Python


def _slots(kind: type) -> list[str]:
    slots = vars(kind).get("__slots__", ())
    return [slots] if isinstance(slots, str) else [s for s in slots if s != "__dict__"]
