"""Imports during which no garbage is looked for."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from headway.imports import imported


@pytest.fixture(autouse=True)
def collecting() -> Iterator[None]:
    yield
    gc.enable()


@pytest.mark.parametrize("before", [True, False])
def test_no_garbage_is_looked_for(
    before: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"looks_{before}".lower()
    (tmp_path / f"{name}.py").write_text("import gc\nLOOKS = gc.isenabled()\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    if not before:
        gc.disable()
    assert imported(name).LOOKS is False
    assert gc.isenabled() == before
    with pytest.raises(ModuleNotFoundError):
        imported("headway.nowhere")
    assert gc.isenabled() == before
