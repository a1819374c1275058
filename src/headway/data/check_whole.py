"""The check of an argument that counts something."""

from __future__ import annotations

from typing import Any

import numpy as np

from headway.errors import ConfigError

__all__ = ["check_whole"]


def check_whole(option: str, value: Any, least: int = 1) -> None:
    """A whole number of at least `least`, or a ConfigError that shows `option` and the value."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < least:
        closing = ")" if "(" in option else ""
        raise ConfigError(f"{option}{value!r}{closing}", allowed=f"a whole number, {least} or more")
