"""Arrow's functions on columns: `pyarrow.compute`, imported when the first of them is called.

Its import takes 50 ms, a third of all that this level may take to import, for hundreds of functions
of which opening and reading a data set calls none. Use: `from headway.data import compute as pc`.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    import pyarrow.compute

    found = globals()[name] = getattr(pyarrow.compute, name)
    return found
