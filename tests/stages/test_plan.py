"""A file of stages: what is read of it, and all that is refused before a stage is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from headway.errors import ConfigError, DataError, InputError
from headway.pretraining import TokenizerPlan
from headway.stages import Stage, read_stages, run_stages
from headway.stages.plan import NEW

FIRST = "[[stage]]\nname = 'a'\nmodel = 'bert'\ntexts = 'a.txt'\n"
SECOND = "[[stage]]\nname = 'b'\ntexts = 'a.txt'\n"
TASK = "[[stage]]\nname = 'b'\ndata = 'tickets.csv'\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The place of a file of stages, beside files that it may name."""
    for name, text in {
        "a.txt": "some text",
        "b.jsonl": '{"text": "more"}',
        "tickets.csv": "text,label\nlate,delivery\n",
        "features.toml": 'label = {label = ["delivery"]}',
        "recipe.toml": 'format = "xml"\nrow = "doc"\ncolumns = {text = "body"}',
        "docs.xml": "<all><doc><body>late</body></doc></all>",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / "stages.toml"


def read(file: Path, text: str) -> list[Stage]:
    file.write_text(text, encoding="utf-8")
    return read_stages(file)


WRONG: list[tuple[str, str]] = [
    ("", "holds no stages"),
    ("stage = 3", "holds no stages"),
    ("[[stage]]\nname = 'a'", r"texts \(pre-training\) or data"),
    ("[[stage]]\nname = 'A b'\ntexts = 'x'", "is called 'A b'"),
    ("[[stage]]\nname = 'held-out'\ntexts = 'x'", "is called 'held-out'"),
    ("[[stage]]\nname = 'a'\ntexts = 'x'", "has no model"),
    ("[[stage]]\nname = 'a'\nmodel = 'bert'\ntexts = 'x'\nmax_stepz = 3", "max_steps"),
    ("[[stage]]\nname = 'a'\nmodel = 'bert'\ntexts = 'x'\nlr = 7", "lr = 7"),
    ("[[stage]]\nname = 'a'\nmodel = 'bert'\ntexts = 'x'\nresume = true", "no setting of a stage"),
    ("[[stage]]\nname = 'a'\nmodel = 'bert'\ndata = 'x'\nseeds = 3", "a stage is one run"),
    ("[[stage]]\nname = 'a'\nmodel = 'bert'\ntexts = 'x'\nearlier = 'y'",
     "earlier is no setting of a stage, since the texts of all stages before are measured"),
    ("[[stage]]\nname = 'a'\nmodel = 'bert'\ndata = 'x'\ntask = 'nothing'", "task = 'nothing'"),
    ("[[stage]]\nname = 'a'\nmodel = 'bert'\ndata = 'x'\nvocabulary = 400", "a stage with data"),
    ("[[stage]]\nname = 'a'\nmodel = 'bert'\ntexts = [3]", "3 in a stage"),
    ("[[stage]]\nname = 'a'\nmodel = 'bert'\ntexts = []", r"texts = \[\]"),
    ("[[stage]]\nname = 'a'\nmodel = 'bert'\ntexts = 'x'\n" * 2, "two stages are called 'a'"),
    ("[[stage]]\nname = 'a'\nmodel = 'bert'\ntexts = 'x'\n[[stage]]\nname = 'b'\nmodel = 'bert'\n"
     "texts = 'x'", "stage 'b' has a model"),
    ("[[stage]]\nname = 'a'\nmodel = 'x'\ndata = 'x'\n[[stage]]\nname = 'b'\ntexts = 'x'",
     "an adaptation is the last one"),
    (FIRST + "vocabulary = '9'", "vocabulary = '9'"),
    (FIRST + "vocabulary = true", "vocabulary = True"),
    (FIRST + "cased = 1", "cased = 1"),
    (FIRST + "tokenizer = 'a.txt'\ncased = true", "tokenizer with vocabulary or cased"),
    (FIRST + TASK + "features = {label = 'text'}", "in a stage"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), WRONG, ids=[said for _, said in WRONG])
def test_what_cannot_be(text: str, said: str, file: Path, tmp_path: Path) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        run_stages(file, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_no_file_and_no_toml(file: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_stages(tmp_path / "nowhere.toml")
    with pytest.raises(DataError, match="cannot be read"):
        read(file, "[[stage]\n")


ABSENT: list[tuple[str, str]] = [
    (FIRST + "[[stage]]\nname = 'b'\ntexts = 'c.txt'", r"no file or folder c\.txt"),
    (FIRST + "[[stage]]\nname = 'b'\ntexts = ['a.txt', 'c.txt']", r"no file or folder c\.txt"),
    (FIRST + "[[stage]]\nname = 'b'\ntexts = 'none*.txt'", r"no file matches none\*\.txt"),
    (FIRST + "[[stage]]\nname = 'b'\ntexts = ['a.txt', 'b.jsonl']", ".*files of several formats"),
    (FIRST + SECOND + "recipe = 'none.toml'", r"the recipe none\.toml cannot be read"),
    (FIRST + "[[stage]]\nname = 'b'\ndata = 'tikets.csv'", r"no file or folder tikets\.csv"),
    (FIRST + TASK + "test = 'judges.csv'", r"no file or folder judges\.csv"),
    (FIRST + TASK + "features = 'none.toml'", r"the features none\.toml cannot be read"),
    (FIRST + TASK + "sample_by = 'line'", "sample_by='line' means nothing for csv"),
]


@pytest.mark.parametrize(("text", "said"), ABSENT, ids=[said for _, said in ABSENT])
def test_what_is_not_there_is_said_before_any_stage(
    text: str, said: str, file: Path, tmp_path: Path
) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=f"stage 'b': {said}"):
        run_stages(file, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["pkg:nothing-of-this-name", "hf://datasets/org/name"])
def test_names_of_packages_and_hubs_are_left_to_their_stage(file: Path, name: str) -> None:
    stage = read(file, f"{FIRST}[[stage]]\nname = 'b'\ndata = '{name}'\ntest = '{name}'")[1]
    assert (stage.source, stage.given, stage.files) == (name, {"test": name}, {})


@pytest.mark.parametrize("key", NEW)
def test_what_a_new_model_has_the_second_stage_cannot_say(file: Path, key: str) -> None:
    value = {"tokenizer": "'a.txt'", "cased": "true"}.get(key, "400")
    with pytest.raises(ConfigError, match=f"stage 'b': {key} with a model that is there"):
        read(file, f"{FIRST}{SECOND}{key} = {value}")
    assert read(file, f"{FIRST}{key} = {value}\n{SECOND}")[0].given


@pytest.mark.parametrize(
    ("lines", "plan"),
    [
        ("vocabulary = 400", TokenizerPlan(size=400)),
        ("cased = true", TokenizerPlan(lowercase=False)),
        ("vocabulary = 400\ncased = true", TokenizerPlan(size=400, lowercase=False)),
    ],
)
def test_a_tokenizer_that_is_learnt(file: Path, lines: str, plan: TokenizerPlan) -> None:
    assert read(file, FIRST + lines)[0].given == {"tokenizer": plan}
    assert read(file, FIRST + "cased = false")[0].given == {}


def test_files_lie_beside_the_file_of_stages(file: Path, tmp_path: Path) -> None:
    first, second = read(
        file,
        "[[stage]]\nname = 'a'\nmodel = 'bert'\ntexts = ['docs.xml']\nrecipe = 'recipe.toml'\n"
        + TASK
        + "features = 'features.toml'\n",
    )
    assert first.given["recipe"] == str(tmp_path / "recipe.toml")
    assert second.given["features"] == str(tmp_path / "features.toml")
    assert set(first.files) == {str(tmp_path / "docs.xml"), str(tmp_path / "recipe.toml")}
    assert set(second.files) == {str(tmp_path / "tickets.csv"), str(tmp_path / "features.toml")}
    pattern = read(file, FIRST.replace("a.txt", "?.txt"))[0]
    assert pattern.source == str(tmp_path / "?.txt")
    assert pattern.files == {pattern.source: [tmp_path / "a.txt"]}


def test_a_recipe_may_stand_in_the_stage(file: Path) -> None:
    recipe = "{format = 'xml', row = 'doc', columns = {text = 'body'}}"
    stage = read(file, f"{FIRST.replace('a.txt', 'docs.xml')}recipe = {recipe}")[0]
    assert stage.given["recipe"]["row"] == "doc"
