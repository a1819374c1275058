from __future__ import annotations

import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from headway.errors import ResolveError
from headway.hub import resolve_data, resolve_model
from headway.hub.store import store, workspace
from headway.hub.wheels import unpack

from .wheelhouse import CONFIG, build_wheel, model_files


@pytest.fixture(autouse=True)
def site(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on sys.path that packages are installed into; the cache is empty."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


def install(site: Path, name: str, version: str, files: Mapping[str, bytes]) -> None:
    """What pip does with a wheel of pure Python."""
    with zipfile.ZipFile(build_wheel(site.parent, name, version, files)) as archive:
        archive.extractall(site)


def bring(site: Path, name: str, version: str, files: Mapping[str, bytes]) -> Path:
    """What fetch does with a downloaded wheel."""
    wheel = build_wheel(site.parent, name, version, files)
    with workspace() as work:
        sizes = unpack(wheel, work / "files")
        normalised = name.lower().replace("_", "-")
        return store(work / "files", name=normalised, version=version, sha256="", sizes=sizes).path


@pytest.mark.parametrize("name", ["some_model", "Some-Model", "some.model", "SOME__model"])
def test_an_installed_model_is_found_by_any_spelling(site: Path, name: str) -> None:
    install(site, "some_model", "1.0", model_files("some_model/model"))
    assert resolve_model(f"pkg:{name}") == site / "some_model/model"


@pytest.mark.parametrize("name", ["some_model", "Some-Model", "some.model"])
def test_a_fetched_model_is_found_by_any_spelling(site: Path, name: str) -> None:
    path = bring(site, "some_model", "1.0", model_files("some_model"))
    assert resolve_model(f"pkg:{name}") == path / "some_model"


def test_nothing_is_imported(site: Path) -> None:
    marker = site / "ran"
    code = f"open({str(marker)!r}, 'w')".encode()
    files = {"some_model/__init__.py": code, "some_model/model/__init__.py": code}
    install(site, "some_model", "1.0", {**files, **model_files("some_model/model")})
    resolve_model("pkg:some_model")
    resolve_data("pkg:some_model/model/tokenizer.json")
    with pytest.raises(ResolveError):
        resolve_data("pkg:some_model/absent")
    assert not marker.exists()
    assert "some_model" not in sys.modules


def test_the_installed_one_comes_before_the_fetched_one(site: Path) -> None:
    path = bring(site, "m", "2.0", model_files("m"))
    install(site, "m", "1.0", model_files("m"))
    assert resolve_model("pkg:m") == site / "m"
    assert resolve_model("pkg:m==1") == site / "m"
    assert resolve_model("pkg:m==2.0") == path / "m"


def test_an_installed_one_without_data_does_not_hide_a_fetched_one(site: Path) -> None:
    install(site, "m", "1.0", {"m/__init__.py": b""})
    path = bring(site, "m", "1.0", model_files("m"))
    assert resolve_model("pkg:m") == path / "m"


def test_the_newest_fetched_version_is_taken(site: Path) -> None:
    bring(site, "m", "1.9", model_files("m"))
    path = bring(site, "m", "1.10", model_files("m"))
    assert resolve_model("pkg:m") == path / "m"


def test_a_package_that_is_not_here_says_where_was_looked(site: Path, cache: Path) -> None:
    bring(site, "some_model", "1.0", model_files("m"))
    with pytest.raises(ResolveError) as caught:
        resolve_model("pkg:some-modle")
    said = str(caught.value)
    assert sys.prefix in said and str(cache / "packages") in said
    assert "headway fetch pkg:some-modle" in said
    assert "did you mean 'some-model'?" in said


def test_another_version_than_those_here_lists_them(site: Path) -> None:
    install(site, "m", "1.0", model_files("m"))
    bring(site, "m", "2.0", model_files("m"))
    with pytest.raises(ResolveError) as caught:
        resolve_model("pkg:m==3/m")
    assert "Allowed: 1.0 (installed), 2.0 (fetched)" in str(caught.value)
    assert "headway fetch pkg:m==3" in str(caught.value)


def test_several_models_are_listed_as_choices_that_work(site: Path) -> None:
    install(site, "m", "1.0", {**model_files("m/small"), **model_files("m/large")})
    with pytest.raises(ResolveError, match=r"carries 2 models.*Allowed: pkg:m/large, pkg:m/small"):
        resolve_model("pkg:m")
    assert resolve_model("pkg:m/small") == site / "m/small"


def test_a_module_inside_a_model_is_not_a_second_model(site: Path) -> None:
    files = {**model_files("m/model"), **model_files("m/model/2_Dense")}
    install(site, "m", "1.0", files)
    assert resolve_model("pkg:m") == site / "m/model"


def test_a_config_alone_is_no_model(site: Path) -> None:
    install(site, "m", "1.0", {"m/a/config.json": CONFIG, **model_files("m/b")})
    assert resolve_model("pkg:m") == site / "m/b"
    with pytest.raises(ResolveError, match=r"no folder with config\.json and weights"):
        resolve_model("pkg:m/a")


def test_torch_weights_make_a_model_but_no_other_bin_does(site: Path) -> None:
    files = {"m/a/config.json": CONFIG, "m/a/pytorch_model.bin": b""}
    more = {"m/b/config.json": CONFIG, "m/b/training_args.bin": b""}
    install(site, "m", "1.0", {**files, **more})
    assert resolve_model("pkg:m") == site / "m/a"


def test_a_package_with_another_kind_of_model_says_so(site: Path) -> None:
    install(site, "m", "1.0", {"m/weights.onnx": b"x", "m/notes.txt": b""})
    with pytest.raises(ResolveError, match=r"it carries weights\.onnx\."):
        resolve_model("pkg:m")
    assert resolve_data("pkg:m/weights.onnx") == site / "m/weights.onnx"


def test_a_file_with_a_whole_model_is_one(site: Path) -> None:
    install(site, "m", "1.0", {"m/weights.gguf": b"GGUF", "m/notes.txt": b""})
    assert resolve_model("pkg:m") == site / "m/weights.gguf"
    assert resolve_model("pkg:m/weights.gguf") == site / "m/weights.gguf"
    install(site, "n", "1.0", {"n/a.gguf": b"GGUF", "n/b.gguf": b"GGUF"})
    with pytest.raises(ResolveError, match=r"carries 2 models. Allowed: pkg:n/a\.gguf, pkg:n/b"):
        resolve_model("pkg:n")
    assert resolve_model("pkg:n/b.gguf") == site / "n/b.gguf"


def test_a_table_alone_stands_behind_a_folder(site: Path) -> None:
    install(site, "m", "1.0", {"m/weights/table.safetensors": b"x", "m/tokenizers/t.json": b"{}"})
    assert resolve_model("pkg:m") == site / "m/weights/table.safetensors"
    install(site, "n", "1.0", {"n/table.safetensors": b"x", **model_files("n/model")})
    assert resolve_model("pkg:n") == site / "n/model"


def test_a_model_in_the_root_of_a_wheel_is_found(site: Path) -> None:
    path = bring(site, "m", "1.0", model_files("one/two"))
    assert resolve_model("pkg:m/two") == path / "one/two"
    assert resolve_model("pkg:m/one/two") == path / "one/two"
    assert resolve_model("pkg:m/one") == path / "one/two"


def test_data_is_found_from_the_module_and_from_the_root(site: Path) -> None:
    install(site, "m", "1.0", {"m/news/data/sport/1.txt": b"x", "m/__init__.py": b""})
    for sub in ("news/data", "m/news/data", "news/data/", "m/news/data/"):
        assert resolve_data(f"pkg:m/{sub}") == site / "m/news/data"
    assert resolve_data("pkg:m/news/data/sport/1.txt") == site / "m/news/data/sport/1.txt"
    assert resolve_data("pkg:m") == site / "m"


def test_a_part_of_another_package_is_not_reached(site: Path) -> None:
    install(site, "m", "1.0", model_files("m"))
    install(site, "other", "1.0", model_files("other"))
    with pytest.raises(ResolveError, match="no 'other' in the package m"):
        resolve_data("pkg:m/other")


def test_a_wrong_part_lists_what_is_there(site: Path) -> None:
    install(site, "m", "1.0", {"m/news/train/1.txt": b"", "m/news/test/1.txt": b"", "m/a.py": b""})
    with pytest.raises(ResolveError) as caught:
        resolve_data("pkg:m/news/tran/1.txt")
    assert "Allowed: pkg:m/news/test, pkg:m/news/train" in str(caught.value)
    assert "did you mean 'train'?" in str(caught.value)
    with pytest.raises(ResolveError, match=r"Allowed: pkg:m/news\. Next: did you mean 'news'"):
        resolve_data("pkg:m/new")


def test_a_part_in_two_folders_is_ambiguous(site: Path) -> None:
    install(site, "m", "1.0", {"a/data/1.txt": b"", "b/data/1.txt": b""})
    with pytest.raises(ResolveError, match="Allowed: pkg:m/a/data, pkg:m/b/data"):
        resolve_data("pkg:m/data")
    assert resolve_data("pkg:m/b/data") == site / "b/data"
    with pytest.raises(ResolveError, match="Allowed: pkg:m/a, pkg:m/b"):
        resolve_data("pkg:m")


def test_a_listed_file_that_is_gone_is_an_error(site: Path) -> None:
    install(site, "m", "1.0", {"m/news/1.txt": b""})
    (site / "m/news/1.txt").unlink()
    with pytest.raises(ResolveError, match=r"is gone.*--force-reinstall"):
        resolve_data("pkg:m/news/1.txt")


def test_files_outside_of_the_packages_folder_are_not_reached(site: Path) -> None:
    install(site, "m", "1.0", model_files("m"))
    record = site / "m-1.0.dist-info/RECORD"
    outside = site.parent / "outside"
    outside.mkdir()
    (outside / "config.json").write_bytes(CONFIG)
    (outside / "model.safetensors").touch()
    rows = "../outside/config.json,,\n../outside/model.safetensors,,\n"
    record.write_text(record.read_text() + rows)
    assert resolve_model("pkg:m") == site / "m"


def test_a_distribution_without_a_readable_version_is_found(site: Path) -> None:
    install(site, "m", "1.0", model_files("m"))
    metadata = site / "m-1.0.dist-info/METADATA"
    metadata.write_text(metadata.read_text().replace("1.0", "one"))
    assert resolve_model("pkg:m") == site / "m"


def test_a_distribution_without_a_record_is_told_apart(site: Path) -> None:
    install(site, "m", "1.0", model_files("m"))
    (site / "m-1.0.dist-info/RECORD").unlink()
    with pytest.raises(ResolveError, match=r"\(1\.0, installed\) lists no data file.*pkg:m\."):
        resolve_model("pkg:m")
