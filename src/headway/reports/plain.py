"""A report as plain JSON values, and as text that every file and font can hold."""

from __future__ import annotations

import json
import math
import re
from pathlib import PurePath
from typing import Any

__all__ = ["plain", "printable", "to_json"]

SURROGATE = re.compile("[\ud800-\udfff]")
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def plain(value: Any, where: str = "report") -> Any:
    """The value made of dict, list, str, int, float, bool and None only.

    NaN and infinity, which JSON cannot say, become None; numpy numbers and arrays become Python's.

    >>> plain({"loss": float("nan"), 3: (1, 2)})
    {'loss': None, '3': [1, 2]}
    """
    if hasattr(value, "tolist"):  # numpy numbers and arrays
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, f"{where}[{i}]") for i, item in enumerate(value)]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, PurePath):
        return str(value)
    raise TypeError(f"{where} is a {type(value).__name__}, which a report cannot hold")


def to_json(value: Any) -> str:
    """Indented JSON that any reader takes: keys in their order, letters of any script as such."""
    text = json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False)
    # Half a surrogate pair has no UTF-8 form; JSON can still escape it.
    return SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"


def printable(value: Any) -> Any:
    """The same plain value with U+FFFD for every character that HTML, SVG or YAML refuses.

    >>> printable({"text": "a\\0b"})
    {'text': 'a�b'}
    """
    if isinstance(value, dict):
        return {printable(key): printable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [printable(item) for item in value]
    return UNPRINTABLE.sub("\ufffd", value) if isinstance(value, str) else value
