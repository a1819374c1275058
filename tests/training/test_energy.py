from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch

from headway.training import energy
from headway.training.energy import WATTS_A_CORE, metered


def counter(folder: Path, name: str, now: object, most: int = 10**9) -> None:
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    (place / "energy_uj").write_text(str(now), "ascii")
    (place / "max_energy_range_uj").write_text(str(most), "ascii")


def test_counters_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of whole processors; one of them begins anew meanwhile, and one says nothing sensible."""
    monkeypatch.setattr(energy, "COUNTERS", tmp_path)
    counter(tmp_path, "intel-rapl:0", 5_000_000)
    counter(tmp_path, "intel-rapl:0:0", 1_000_000)  # a part of it
    counter(tmp_path, "intel-rapl:1", 999_000_000)
    counter(tmp_path, "intel-rapl:2", "no number")
    with metered() as found:
        counter(tmp_path, "intel-rapl:0", 41_000_000)
        counter(tmp_path, "intel-rapl:0:0", 99_000_000)
        counter(tmp_path, "intel-rapl:1", 35_000_000)
    assert found.measured and found.watt_hours == pytest.approx((36 + 36) / 3600)


def test_without_counters_it_is_estimated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(energy, "COUNTERS", tmp_path / "none")
    start = time.perf_counter()
    with pytest.raises(RuntimeError), metered() as found:
        time.sleep(0.05)
        raise RuntimeError
    most = (time.perf_counter() - start) * WATTS_A_CORE * torch.get_num_threads() / 3600
    assert not found.measured and 0 < found.watt_hours <= most
