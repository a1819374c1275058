from __future__ import annotations

import sys
from pathlib import Path

import pytest

from headway.errors import OutputError, ResolveError
from headway.hub import resolve_data, resolve_model

from .fakehub import FakeHub
from .wheelhouse import CONFIG, MODEL

# Contents differ, because the library downloads one file of two that are equal.
FILES = {
    **MODEL,
    "README.md": b"# a model",
    "vocab.txt": b"a",
    "modules.json": b"[]",
    "1_Pooling/config.json": b"pooling",
    "2_Dense/config.json": b"dense",
    "2_Dense/model.safetensors": b"weights",
}
OTHER_FILES = {
    path: path.encode()
    for path in (
        "pytorch_model.bin",
        "tf_model.h5",
        "model.py",
        "onnx/model.onnx",
        "consolidated.safetensors",
        "training_args.bin",
    )
}


def found(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_model_comes_with_safetensors_and_nothing_else(hub: FakeHub, tmp_path: Path) -> None:
    commit = hub.add("org/name", FILES | OTHER_FILES)
    folder = resolve_model("hf://org/name")
    assert found(folder) == set(FILES)
    assert hub.downloaded() == set(FILES)
    assert (folder / "config.json").read_bytes() == CONFIG
    assert folder.name == commit
    assert folder.is_relative_to(tmp_path / "hf/hub")


def test_progress_is_shown_only_on_a_terminal(
    hub: FakeHub, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add("org/name", MODEL)
    resolve_model("hf://org/name")
    assert capfd.readouterr() == ("", "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    resolve_model("hf://org/name")
    out, shown = capfd.readouterr()
    assert out == "" and "Fetching" in shown


def test_sharded_safetensors_come_whole(hub: FakeHub) -> None:
    shards = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    files = {**dict.fromkeys(shards, b""), "model.safetensors.index.json": b"{}"}
    hub.add("org/name", {"config.json": CONFIG, **files})
    assert found(resolve_model("hf://org/name")) == {"config.json", *files}


def test_torch_weights_come_where_there_are_no_safetensors(hub: FakeHub) -> None:
    hub.add("org/name", {"config.json": CONFIG, **OTHER_FILES})
    assert found(resolve_model("hf://org/name")) == {"config.json", "pytorch_model.bin"}


def test_a_revision_is_a_branch_a_tag_or_a_commit(hub: FakeHub) -> None:
    old = hub.add("org/name", {**MODEL, "README.md": b"old"}, revision="v1")
    hub.add("org/name", {**MODEL, "README.md": b"new"})
    for revision, text in ((f"@{old}", b"old"), ("@v1", b"old"), ("@main", b"new"), ("", b"new")):
        folder = resolve_model(f"hf://org/name{revision}")
        assert (folder / "README.md").read_bytes() == text


def test_what_is_in_the_cache_is_not_downloaded_again(hub: FakeHub) -> None:
    hub.add("org/name", MODEL)
    first = resolve_model("hf://org/name")
    hub.requests.clear()
    assert resolve_model("hf://org/name") == first
    assert hub.downloaded() == set()


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_only_the_cache_is_used(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    hub.add("org/name", MODEL)
    hub.add("org/other", MODEL)
    folder = resolve_model("hf://org/name")
    hub.requests.clear()
    monkeypatch.setenv(variable, "1")
    assert resolve_model("hf://org/name") == folder
    with pytest.raises(ResolveError, match=r"'hf://org/other' is not in the hub cache, and"):
        resolve_model("hf://org/other")
    assert hub.requests == []


def test_without_network_the_cache_is_used(hub: FakeHub) -> None:
    hub.add("org/name", MODEL)
    folder = resolve_model("hf://org/name")
    hub.close()
    assert resolve_model("hf://org/name") == folder
    with pytest.raises(ResolveError) as caught:
        resolve_model("hf://org/other")
    assert f"{hub.url} did not deliver 'hf://org/other'" in str(caught.value)
    assert "check the network, HF_ENDPOINT" in str(caught.value)


def test_a_hub_that_fails_is_named(hub: FakeHub) -> None:
    hub.add("org/name", MODEL)
    hub.broken = True
    with pytest.raises(ResolveError, match=r"did not deliver 'hf://org/name'.*500"):
        resolve_model("hf://org/name")


def test_a_missing_repository_is_an_error(hub: FakeHub) -> None:
    with pytest.raises(ResolveError, match=f"{hub.url} has no model 'org/absent'.*set HF_TOKEN"):
        resolve_model("hf://org/absent")


def test_a_missing_revision_is_an_error(hub: FakeHub) -> None:
    hub.add("org/name", MODEL)
    with pytest.raises(ResolveError, match=r"'org/name' has no revision 'v9'.*leave out @v9"):
        resolve_model("hf://org/name@v9")


def test_a_gated_repository_needs_the_right_token(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add("org/name", MODEL, token="hf_secret", gated=True)
    with pytest.raises(ResolveError, match=r"is gated.*ask for access.*HF_TOKEN") as caught:
        resolve_model("hf://org/name")
    assert "hf_secret" not in str(caught.value)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert found(resolve_model("hf://org/name")) == set(MODEL)


def test_a_private_repository_is_read_with_its_token(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add("org/name", MODEL, token="hf_secret")
    with pytest.raises(ResolveError, match="has no model 'org/name', or shows it only to some"):
        resolve_model("hf://org/name")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert found(resolve_model("hf://org/name")) == set(MODEL)


@pytest.mark.parametrize(
    ("files", "lacks"),
    [
        ({"model.gguf": b"", "README.md": b""}, r"no weights.*; it has model\.gguf, README\.md"),
        (
            {"config.json": CONFIG, "model.gguf": b""},
            r"no weights \(model\.safetensors, pytorch_model",
        ),
        ({"model.safetensors": b""}, r"no config\.json"),
    ],
)
def test_a_repository_that_is_no_model_lists_what_it_has(
    hub: FakeHub, files: dict[str, bytes], lacks: str
) -> None:
    hub.add("org/name", files)
    with pytest.raises(ResolveError, match=lacks):
        resolve_model("hf://org/name")


def test_data_comes_without_scripts(hub: FakeHub) -> None:
    data = {"README.md": b"", "data/train.parquet": b"PAR1", "test.jsonl": b"{}", "LICENSE": b""}
    hub.add("org/name", {**data, "name.py": b"", ".gitattributes": b""}, kind="datasets")
    assert found(resolve_data("hf://datasets/org/name")) == set(data)


@pytest.mark.parametrize(
    ("path", "files"),
    [
        ("train.csv", {"train.csv"}),
        ("de", {"de/train.csv", "de/test.csv"}),
        ("de/test.csv", {"de/test.csv"}),
        ("a[1]*.csv", {"a[1]*.csv"}),
    ],
)
def test_only_what_the_path_names_is_downloaded(hub: FakeHub, path: str, files: set[str]) -> None:
    names = ["train.csv", "de/train.csv", "de/test.csv", "den/train.csv", "a[1]*.csv", "a1b.csv"]
    commit = hub.add("org/name", {name: name.encode() for name in names}, kind="datasets")
    place = resolve_data(f"hf://datasets/org/name/{path}")
    assert hub.downloaded() == files
    assert place.as_posix().endswith(f"{commit}/{path}")
    assert place.is_dir() == (path == "de")


def test_data_of_a_revision(hub: FakeHub) -> None:
    hub.add("org/name", {"a.csv": b"old"}, kind="datasets", revision="v1")
    hub.add("org/name", {"a.csv": b"new"}, kind="datasets")
    assert resolve_data("hf://datasets/org/name@v1/a.csv").read_bytes() == b"old"
    assert resolve_data("hf://datasets/org/name/a.csv").read_bytes() == b"new"


def test_a_missing_path_names_the_nearest(hub: FakeHub) -> None:
    hub.add("org/name", {"data/test.csv": b"", "data/train.csv": b""}, kind="datasets")
    with pytest.raises(ResolveError) as caught:
        resolve_data("hf://datasets/org/name/data/tain.csv")
    assert (
        "'hf://datasets/org/name' has no data/tain.csv; it has data/test.csv, data/train.csv"
        in str(caught.value)
    )
    assert "did you mean 'data/train.csv'?" in str(caught.value)


def test_a_missing_path_without_network_is_an_error(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add("org/name", {"train.csv": b"", "test.csv": b""}, kind="datasets")
    resolve_data("hf://datasets/org/name/train.csv")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for path in ("test.csv", "absent.csv"):
        with pytest.raises(ResolveError):
            resolve_data(f"hf://datasets/org/name/{path}")


def test_models_and_data_sets_are_told_apart(hub: FakeHub) -> None:
    with pytest.raises(ResolveError, match="is a data set's name"):
        resolve_model("hf://datasets/org/name")
    with pytest.raises(ResolveError, match="Next: hf://datasets/org/name"):
        resolve_data("hf://org/name")
    assert hub.requests == []


def test_a_name_that_only_the_library_refuses_is_an_error(hub: FakeHub) -> None:
    with pytest.raises(ResolveError, match="is not a hub's name"):
        resolve_model("hf://org/na--me")
    assert hub.requests == []


def test_a_cache_that_cannot_be_written_is_an_output_error(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add("org/name", MODEL)
    (tmp_path / "file").touch()
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "file"))
    with pytest.raises(OutputError, match="hub cache cannot be written"):
        resolve_model("hf://org/name")
