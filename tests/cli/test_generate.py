from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from generate.letters import letters_model
from pipelines.models import classifier

import headway as package

from .calls import document, error_of, headway
from .tiny import write_csv

PROMPTS = ["ab", "no é", "abc"]


@pytest.fixture(scope="module")
def writes(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model that writes letters."""
    folder = tmp_path_factory.mktemp("models") / "letters"
    letters_model().save(folder)
    return str(folder)


def expected(folder: str, **options: Any) -> list[str]:
    return package.load(folder).generate(PROMPTS, 12, **options)


def shown(texts: list[str]) -> str:
    from headway.reports.plain import printable

    blocks = (f"» {p}\n{printable(t)}\n\n" for p, t in zip(PROMPTS, texts, strict=True))
    return "".join(blocks)


def test_one_prompt_is_streamed(writes: str) -> None:
    result = headway("generate", writes, "ab", "--max-new-tokens", "6", "--choice", "abab")
    assert (result.exit_code, result.stdout) == (0, "abab\n"), result.stderr


@pytest.mark.parametrize(
    ("options", "same"),
    [
        ((), {}),
        (("--beams", "3"), {"beams": 3}),
        (
            ("--temperature", "0.9", "--top-p", "0.8", "--top-k", "9", "--seed", "4"),
            {"temperature": 0.9, "top_p": 0.8, "top_k": 9, "seed": 4},
        ),
        (("--stop", "a", "--stop", "b"), {"stop": ("a", "b")}),
        (
            ("--repetition-penalty", "1.5", "--no-repeat-ngram", "2", "--min-p", "0.1"),
            {"repetition_penalty": 1.5, "no_repeat_ngram": 2, "min_p": 0.1},
        ),
    ],
    ids=str,
)
def test_several_prompts_are_headlines(
    writes: str, options: tuple[str, ...], same: dict[str, Any]
) -> None:
    result = headway("generate", writes, *PROMPTS, "--max-new-tokens", "12", *options)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == shown(expected(writes, **same))


def test_json_tells_all(writes: str) -> None:
    told = document(headway("generate", writes, *PROMPTS, "--max-new-tokens", "12", "--json"))
    assert [each["prompt"] for each in told] == PROMPTS
    assert [each["text"] for each in told] == expected(writes)
    assert all(len(each["ids"]) == len(each["log_probabilities"]) for each in told)
    assert told[0]["tokens"]["new"] == 12 and told[0]["stopped_by"] == "max_new_tokens"
    options = ("--beams", "2", "--sequences", "2", "--max-new-tokens", "4", "--json")
    several = document(headway("generate", writes, "ab", "abc", *options))
    assert [each["prompt"] for each in several] == ["ab", "ab", "abc", "abc"]
    assert several[0]["score"] >= several[1]["score"]


def test_schema_and_regex(writes: str, tmp_path: Path) -> None:
    path = tmp_path / "schema.json"
    path.write_text(json.dumps({"type": "array", "items": {"type": "boolean"}, "maxItems": 3}))
    options = ("--max-new-tokens", "80")
    result = headway("generate", writes, "ab", "--schema", str(path), *options)
    assert all(each in (True, False) for each in json.loads(result.stdout))
    assert headway("generate", writes, "ab", "--regex", "ab{3}", *options).stdout == "abbb\n"
    assert "cannot be read: No such file" in error_of(
        headway("generate", writes, "ab", "--schema", str(tmp_path / "none"))
    )
    assert "not JSON" in error_of(headway("generate", writes, "ab", "--schema", __file__))
    both = headway("generate", writes, "ab", "--regex", "a", "--choice", "b")
    assert both.exit_code == 2 and "exclude each other" in both.stderr


def test_prompts_from_files_and_lines(writes: str, tmp_path: Path) -> None:
    data = write_csv(tmp_path / "prompts.csv", [{"text": prompt} for prompt in PROMPTS])
    options = ("--max-new-tokens", "12")
    wanted = shown(expected(writes))
    assert headway("generate", writes, "--file", str(data), *options).stdout == wanted
    assert headway("generate", writes, *options, input="\n".join(PROMPTS)).stdout == wanted
    assert headway("generate", writes, "-", *options, input="\n".join(PROMPTS)).stdout == wanted
    refused = headway("generate", writes, "ab", "--file", str(data))
    assert refused.exit_code == 2 and "exclude each other" in refused.stderr
    refused = headway("generate", writes, "ab", "--text", "text")
    assert refused.exit_code == 2 and "--text is of a file" in refused.stderr
    assert document(headway("generate", writes, "--json", input="")) == []


def test_a_draft_model(writes: str) -> None:
    options = ("--max-new-tokens", "12", "--draft", writes, "--json")
    told = document(headway("generate", writes, *PROMPTS, *options))
    assert [each["text"] for each in told] == expected(writes)
    assert told[0]["acceptance"] == 1.0


def test_what_is_wrong(writes: str, tmp_path: Path) -> None:
    assert "temperature = -1" in error_of(headway("generate", writes, "ab", "--temperature", "-1"))
    classifier().save(tmp_path / "labels")
    assert "writes no text" in error_of(headway("generate", str(tmp_path / "labels"), "ab"))
