"""Small TOML and JSON files in which a user says how data is to be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from headway.errors import ConfigError, DataError

__all__ = ["table_in"]


def table_in(path: Path, what: str, *, allowed: str) -> dict[str, Any]:
    """The table of a .toml file, or the object of a .json file.

    Args:
        path: the file.
        what: it is, for messages.
        allowed: what the table may hold.

    Raises:
        ConfigError: another suffix, or no table.
        DataError: a file that cannot be read.
    """
    import tomllib

    if path.suffix not in (".toml", ".json"):
        raise ConfigError(f"{what} {path}", allowed="a .toml or .json file, or a dict")
    try:
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"the {what} {path} cannot be read: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"the {what} {path}: no table", allowed=allowed)
    return values
