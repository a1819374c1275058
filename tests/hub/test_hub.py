"""What holds for the whole package: it imports light, and reaches the network only when told."""

from __future__ import annotations

import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from headway.errors import ResolveError
from headway.hub import cached, remove, resolve_data, resolve_model

from .wheelhouse import MODEL, build_wheel, model_files


def test_importing_the_package_imports_nothing_heavy() -> None:
    heavy = ("torch", "huggingface_hub", "pyarrow", "numpy", "httpx", "requests", "rich")
    code = f"import sys, headway.hub; print([each for each in {heavy} if each in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


@pytest.fixture
def nothing_reached(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whatever was tried of the network, or of a new process that could use it."""
    tried: list[str] = []

    def deny(what: str) -> object:
        def denied(*args: object, **_: object) -> None:
            tried.append(f"{what} {args[1:]}")
            raise OSError(f"{what} is blocked")

        return denied

    monkeypatch.setattr(socket.socket, "connect", deny("connect"))
    monkeypatch.setattr(socket.socket, "connect_ex", deny("connect_ex"))
    monkeypatch.setattr(socket, "getaddrinfo", deny("getaddrinfo"))
    monkeypatch.setattr(subprocess.Popen, "__init__", deny("process"))
    return tried


def test_folders_and_packages_reach_nothing(
    nothing_reached: list[str], cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path / "site")
    with zipfile.ZipFile(build_wheel(tmp_path, "m", "1.0", model_files("m"))) as archive:
        archive.extractall(tmp_path / "site")
    for name, data in MODEL.items():
        (tmp_path / name).write_bytes(data)
    assert resolve_model(tmp_path) == tmp_path
    assert resolve_data(tmp_path / "config.json").is_file()
    assert resolve_model("pkg:m") == tmp_path / "site/m"
    assert resolve_data("pkg:m/config.json").is_file()
    for name in ("absent", "pkg:absent", "pkg:absent==1/sub", "pkg:pytest"):
        with pytest.raises(ResolveError):
            resolve_model(name)
        with pytest.raises(ResolveError):
            resolve_data(f"{name}/absent")
    with pytest.raises(ResolveError):
        remove("pkg:absent")
    assert cached() == []
    assert nothing_reached == []


def test_the_block_would_notice(
    nothing_reached: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.raises(ResolveError):
        resolve_model("hf://org/name")
    assert nothing_reached
