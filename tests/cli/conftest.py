from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .calls import headway
from .tiny import rows, write_csv, write_model


@pytest.fixture(scope="package", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of their own for all commands, so that what one measures the next one knows."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADWAY_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="package")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with a tiny model without a head."""
    return str(write_model(tmp_path_factory.mktemp("models") / "tiny"))


@pytest.fixture(scope="package")
def tickets(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A csv file of 90 rows with three labels."""
    return str(write_csv(tmp_path_factory.mktemp("data") / "tickets.csv", rows(90)))


@pytest.fixture(scope="package")
def run(tmp_path_factory: pytest.TempPathFactory, model: str, tickets: str) -> str:
    """A folder with that model adapted to those rows."""
    out = str(tmp_path_factory.mktemp("runs") / "tickets")
    options = ("--epochs", "25", "--lr", "0.005", "--precision", "fp32")
    done = headway("adapt", model, tickets, "--out", out, *options)
    assert done.exit_code == 0, done.stderr
    return out
