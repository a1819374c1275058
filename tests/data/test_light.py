"""What importing the package costs."""

from __future__ import annotations

import subprocess
import sys


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
