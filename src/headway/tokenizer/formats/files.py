"""Reads small text and JSON files; whatever is wrong with them is a TokenizerError."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from headway.errors import TokenizerError

__all__ = ["CONFIG", "read_bytes", "read_json", "read_object", "read_text", "written_json"]

CONFIG = "tokenizer_config.json"


def read_bytes(path: Path) -> bytes:
    """The content of a file."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise TokenizerError(
            f"{path} cannot be read: {error.strerror or error}", next_step="check the path"
        ) from error


def read_text(path: Path) -> str:
    """The content of a UTF-8 text file."""
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TokenizerError(
            f"{path} is not UTF-8 text: byte {error.start} is {error.object[error.start]:#04x}",
            next_step="get the file again, or give the file that is a tokenizer",
        ) from error


def read_json(path: Path) -> Any:
    """The content of a JSON file."""
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise TokenizerError(
            f"{path} is not JSON: {error.msg} in line {error.lineno}, column {error.colno}",
            next_step="get the file again: it may have been cut off",
        ) from error
    except (RecursionError, ValueError) as error:  # nesting without end, numbers without end
        raise TokenizerError(
            f"{path} is no sane JSON: {error}", next_step="get it again"
        ) from error


def read_object(path: Path) -> dict[str, Any]:
    """The content of a JSON file that holds an object."""
    content = read_json(path)
    if not isinstance(content, dict):
        raise TokenizerError(f"{path} holds a {type(content).__name__}", allowed="an object, {...}")
    return content


def written_json(content: Any) -> bytes:
    """The bytes of a JSON file."""
    try:
        return (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode()
    except UnicodeEncodeError:  # a field of another program's, with half of a surrogate pair
        return (json.dumps(content, indent=2) + "\n").encode()
