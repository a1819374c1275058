"""Imports that no search for garbage interrupts.

What an import makes stays. Python's collector looks through all that there is each time that there
is a quarter more, and finds nothing: a tenth of the time until a training's first step.
"""

from __future__ import annotations

import gc
import importlib
from types import ModuleType

__all__ = ["imported"]


def imported(name: str) -> ModuleType:
    """The module of that name; no garbage is looked for while it is imported.

    >>> imported("headway.errors").ConfigError.__name__
    'ConfigError'
    """
    before = gc.isenabled()
    gc.disable()
    try:
        return importlib.import_module(name)
    finally:
        if before:
            gc.enable()
