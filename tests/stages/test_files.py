"""The files that a stage reads: which they are, and that every change of them is seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from headway.errors import DataError
from headway.stages.files import digest_of_all, files_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Texts in splits, and a model."""
    for name in ("texts/train.txt", "texts/test.txt", "model/config.json", "model/1_Pooling/a.json",
                 "model/.DS_Store"):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(f"of {name}", encoding="utf-8")
    return tmp_path


def names(found: dict[str, list[Path]], folder: Path) -> dict[str, set[str]]:
    """The same, below the folder."""
    return {
        str(Path(name).relative_to(folder)): {str(file.relative_to(folder)) for file in files}
        for name, files in found.items()
    }


def test_what_a_folder_holds(folder: Path) -> None:
    model, texts = str(folder / "model"), str(folder / "texts")
    found = files_of(texts, model, {"tokenizer": model}, alone=True)
    assert names(found, folder) == {
        "texts": {"texts/train.txt", "texts/test.txt"},
        "model": {"model/config.json", "model/1_Pooling/a.json"},
    }
    config = str(folder / "model/config.json")
    assert files_of([texts], config, {}, alone=True)[config] == [Path(config)]
    with pytest.raises(DataError, match="holds the splits train, test"):
        files_of([texts], None, {}, alone=False)


def test_a_family_is_no_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "model").rename(folder / "bert")
    monkeypatch.chdir(folder)
    assert set(files_of("texts", "bert", {}, alone=True)) == {"texts"}


@pytest.mark.parametrize("change", ["content", "name", "fewer", "more"])
def test_every_change_is_seen(folder: Path, change: str) -> None:
    model = folder / "model"

    def digest() -> str:
        return digest_of_all(files_of("pkg:none", str(model), {}, alone=True)[str(model)])

    before, inner = digest(), model / "1_Pooling/a.json"
    (model / ".DS_Store").write_text("of nobody", encoding="utf-8")
    assert digest() == before
    match change:
        case "content":
            inner.write_text("another", encoding="utf-8")
        case "name":
            inner.rename(inner.with_name("b.json"))
        case "fewer":
            inner.unlink()
        case "more":
            inner.with_name("b.json").write_text("", encoding="utf-8")
    assert digest() != before
