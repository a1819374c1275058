"""What is written goes to the disk meanwhile, and what cannot be kept is an error."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from headway.data.reading import writeback
from headway.data.reading.writeback import Writeback


def test_a_file_is_written_out_every_so_many_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(b"x" * 100)
    seen: list[int] = []
    monkeypatch.setattr(writeback, "_EVERY", 10)
    monkeypatch.setattr(os, "fsync", seen.append)
    with Writeback(tmp_path / "a") as disk:
        disk.written(9)
        assert not seen
        disk.written(1)
    assert len(seen) == 1


def test_what_the_disk_refuses_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"x")

    def refuse(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(writeback, "_EVERY", 1)
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="Input/output"), Writeback(tmp_path / "a") as disk:
        disk.written(1)
