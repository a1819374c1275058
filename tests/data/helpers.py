"""Short ways to read bytes and to catch what a reader says about them."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import strategies as st

from headway.data import Dataset, read
from headway.errors import DataError

# Any text that a file may hold: no NUL, no half of a surrogate pair.
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)


def one(path: str | Path, **options: Any) -> Dataset:
    """What `read` gives, where that is one data set."""
    data = read(path, **options)
    assert isinstance(data, Dataset)
    return data


def read_bytes(content: bytes, name: str, **options: Any) -> Dataset:
    """The data set in a file of this content and name."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        return one(path, **options)


def refusal(content: bytes, name: str, **options: Any) -> str:
    """The one message that reading this content ends in; it names the file."""
    with pytest.raises(DataError) as caught:
        read_bytes(content, name, **options)
    said = str(caught.value)
    assert name in said
    assert "\n" not in said
    return said
