from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from headway.errors import ResolveError
from headway.hub import resolve_data, resolve_model

from .wheelhouse import CONFIG


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs/tickets").mkdir(parents=True)
    return tmp_path


def test_a_folder_with_a_config_is_a_model() -> None:
    Path("runs/tickets/config.json").write_bytes(CONFIG)
    assert resolve_model("runs/tickets") == Path("runs/tickets")
    assert resolve_model(Path("runs/tickets")) == Path("runs/tickets")


def test_a_missing_folder_names_the_wrong_part_and_the_nearest() -> None:
    with pytest.raises(ResolveError) as caught:
        resolve_model("rums/tickets")
    assert "nothing named 'rums'" in str(caught.value)
    assert "did you mean 'runs'?" in str(caught.value)


@pytest.mark.parametrize(
    ("resolve", "step"),
    [(resolve_model, "hf://org/name"), (resolve_data, "hf://datasets/org/name")],
)
def test_what_may_be_a_hubs_name_is_told_its_form(
    resolve: Callable[[str], Path], step: str
) -> None:
    with pytest.raises(ResolveError, match=f"write {step},"):
        resolve("org/name")


def test_a_folder_without_config_lists_what_is_there() -> None:
    Path("runs/notes.txt").touch()
    with pytest.raises(ResolveError) as caught:
        resolve_model("runs")
    assert "holds notes.txt, tickets/" in str(caught.value)


def test_a_folder_of_models_names_them() -> None:
    Path("runs/tickets/config.json").write_bytes(CONFIG)
    with pytest.raises(ResolveError, match="Next: one of its folders has one: runs/tickets"):
        resolve_model("runs")


def test_a_file_with_a_whole_model_is_one_and_so_is_its_folder() -> None:
    Path("runs/m.gguf").touch()
    assert resolve_model("runs/m.gguf") == Path("runs/m.gguf")
    assert resolve_model("runs") == Path("runs/m.gguf")
    Path("runs/n.gguf").touch()
    with pytest.raises(ResolveError, match=r"which holds m\.gguf, n\.gguf"):
        resolve_model("runs")
    Path("runs/config.json").write_bytes(CONFIG)
    assert resolve_model("runs") == Path("runs")


def test_an_empty_folder_holds_nothing() -> None:
    with pytest.raises(ResolveError, match="which holds nothing"):
        resolve_model("runs/tickets")


def test_a_file_is_not_a_model_but_its_folder_is_named() -> None:
    config = Path("runs/tickets/config.json")
    config.write_bytes(CONFIG)
    with pytest.raises(ResolveError, match="Next: name its folder, 'runs/tickets'"):
        resolve_model(config)


def test_data_is_a_file_or_a_folder() -> None:
    Path("tickets.csv").touch()
    assert resolve_data("tickets.csv") == Path("tickets.csv")
    assert resolve_data("runs") == Path("runs")


def test_missing_data_names_the_nearest_file() -> None:
    Path("tickets.csv").touch()
    with pytest.raises(ResolveError, match=r"did you mean 'tickets\.csv'"):
        resolve_data("ticket.csv")


def test_a_long_list_says_how_many_more() -> None:
    for number in range(20):
        Path(f"runs/{number:02}.txt").touch()
    with pytest.raises(ResolveError, match=r"11\.txt and 9 more"):
        resolve_model("runs")
