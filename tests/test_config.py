from pathlib import Path

import pytest

from headway.config import cache_folder


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HEADWAY_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def test_default_is_in_the_home_folder(tmp_path: Path) -> None:
    assert cache_folder() == tmp_path / ".cache" / "headway"


def test_xdg_cache_home_comes_before_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert cache_folder() == Path("/caches/headway")


def test_a_relative_xdg_cache_home_is_ignored(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "caches")
    assert cache_folder() == tmp_path / ".cache" / "headway"


@pytest.mark.parametrize(
    ("value", "folder"), [("/own", "/own"), ("~/own", "{home}/own"), ("own", "{here}/own")]
)
def test_headway_cache_comes_first_and_is_absolute(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str, folder: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    monkeypatch.setenv("HEADWAY_CACHE", value)
    assert cache_folder() == Path(folder.format(home=tmp_path, here=Path.cwd()))


def test_empty_variables_count_as_unset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HEADWAY_CACHE", "")
    assert cache_folder() == tmp_path / ".cache" / "headway"


def test_nothing_is_created(tmp_path: Path) -> None:
    cache_folder()
    assert not list(tmp_path.iterdir())
