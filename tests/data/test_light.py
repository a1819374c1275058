"""What importing the package costs, and whether the examples in its docstrings run."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest

import headway.data

MODULES = [
    "headway.data",
    *(one.name for one in pkgutil.walk_packages(headway.data.__path__, "headway.data.")),
]


def test_importing_brings_nothing_heavy() -> None:
    heavy = ("torch", "pandas", "sklearn", "scipy", "transformers", "pyarrow.parquet", "rich")
    code = (
        "import sys, headway.data;"
        f"print(*[name for name in {heavy} if name in sys.modules], sep=',')"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""


def test_importing_opens_no_socket_and_reading_neither() -> None:
    code = """
import socket, sys, tempfile, pathlib
def refuse(*args, **kwargs): raise AssertionError("network")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
from headway.data import read
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / "a.csv"
    path.write_text("text,label\\na,b\\n")
    print(len(read(path)))
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "1"


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
