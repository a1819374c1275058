"""report.html: one offline, accessible file, whatever the report holds."""

import copy
import html
import importlib
import json
import os
import pkgutil
import re
import subprocess
import sys
from functools import cache

import numpy as np
import pytest

import headway.reports
from headway.reports.page import page
from headway.reports.plain import plain, printable, to_json

from .frozen import REPORTS, single_label
from .frozen_kinds import KINDS
from .parsed import Parsed

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "$x^$ \\frac{",
    "--><b>",
    'id="x" href="#y" url(#z) #0072b2',
    "a\0b\x1bc",
    "\ud800 half",
    "two\nlines",
    "العربية",
    "中文",
    "",
    "👩‍👩‍👧",
    "{{ 7 * 7 }}{% raw %}",
    "x" * 300,
]


def render(report) -> Parsed:
    return Parsed(page(printable(plain(report))))


def with_labels(labels, confusion=None):
    """The frozen report with these labels instead."""
    report = single_label()
    k = len(labels)
    matrix = np.eye(k, dtype=int) * 20 + 1 if confusion is None else np.asarray(confusion)
    report["label_names"] = list(labels)
    report["data"]["labels"] = dict.fromkeys(labels, 10)
    report["test"]["confusion"] = matrix.tolist()
    report["test"]["per_label"] = {
        label: {"precision": 0.5, "recall": 0.5, "f1": i / k, "support": 20}
        for i, label in enumerate(labels)
    }
    return report


def hostile():
    report = with_labels(HOSTILE)
    report["data"]["name"] = report["command"] = report["model"] = HOSTILE[0]
    report["notes"] = HOSTILE
    report["settings"] = {label: label for label in HOSTILE}
    report["versions"] = {label: label for label in HOSTILE}
    report["baseline"]["name"] = HOSTILE[0]
    report["examples"] = [
        {"text": text, "label": text, "prediction": HOSTILE[1], "score": 0.5, "tokens": {}}
        for text in HOSTILE
    ]
    return report


def minimal(kind):
    """Only what a report cannot do without."""
    full = REPORTS[kind]()
    return {key: full[key] for key in ("task", "kind", "model", "label_names")} | {
        "test": {"n": 3, "accuracy": 1.0, "pearson": 0.0}
    }


PAGES = {
    **{kind: KINDS[kind] for kind in (*REPORTS, "answer-spans", "similarity", "summaries", "tags")},
    "hostile": hostile,
    "two labels": lambda: with_labels(["no", "yes"]),
    "30 labels": lambda: with_labels([f"label {i}" for i in range(30)]),
    "150 labels": lambda: with_labels([f"label {i}" for i in range(150)]),
    "a label without test rows": lambda: with_labels(["a", "b"], [[3, 0], [0, 0]]),
    **{f"minimal {kind}": lambda kind=kind: minimal(kind) for kind in REPORTS},
}


@cache
def source(name: str) -> str:
    """The page of that name, made once for all tests that only read it."""
    return page(printable(plain(PAGES[name]())))


@pytest.fixture(scope="module", params=PAGES)
def parsed(request):
    return Parsed(source(request.param))


def test_tags_are_closed_and_ids_unique(parsed):
    assert parsed.problems == []
    ids = [a["id"] for _, a in parsed.tags if "id" in a]
    assert len(ids) == len(set(ids))


def test_nothing_is_asked_from_outside(parsed):
    names = {name for name, _ in parsed.tags}
    assert not names & {"script", "link", "img", "iframe", "image", "object", "foreignobject"}
    for name, attributes in parsed.tags:
        assert "src" not in attributes, name
        assert (attributes.get("href") or "#").startswith("#"), (name, attributes)
        assert not any(a.startswith("on") for a in attributes), (name, attributes)
        for value in attributes.values():
            assert all(url.startswith("#") for url in re.findall(r"url\((.*?)\)", value or ""))
    policy = [a["content"] for a in parsed.all("meta") if "http-equiv" in a]
    assert policy == [
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    ]


def test_every_reference_inside_the_page_resolves(parsed):
    ids = {a["id"] for _, a in parsed.tags if "id" in a}
    for name, attributes in parsed.tags:
        if (attributes.get("href") or "").startswith("#"):
            assert attributes["href"][1:] in ids, (name, attributes)
        for value in attributes.values():
            assert set(re.findall(r"url\(#(.*?)\)", value or "")) <= ids
        for labelled in (attributes.get("aria-labelledby") or "").split():
            assert labelled in ids


def test_a_screen_reader_finds_its_way(parsed):
    assert parsed.all("html") == [{"lang": "en"}]
    assert len(parsed.all("h1")) == len(parsed.all("main")) == 1
    for svg in parsed.all("svg"):
        assert svg["role"] == "img"
        assert len(svg["aria-label"]) > 20
    for scrolled in (a for _, a in parsed.tags if "tabindex" in a):
        assert scrolled["aria-label"]
    assert all(a.get("scope") in ("row", "col") for a in parsed.all("th"))


def test_every_colour_follows_the_page(parsed):
    for name, attributes in parsed.tags:
        assert not re.search(r"(fill|stroke): #", attributes.get("style") or ""), name


@pytest.mark.parametrize("kind", REPORTS)
def test_the_picture_of_each_kind_is_there(kind):
    found = {a["id"] for a in Parsed(source(kind)).all("figure")}
    expected = {
        "single-label": {"intervals", "confusion", "reliability", "curve", "lengths"},
        "multi-label": {"intervals", "label-bars", "curve", "lengths"},
        "regression": {"intervals", "scatter", "residuals", "curve", "lengths"},
    }[kind]
    assert found == {f"{name}-figure" for name in expected}


def test_hostile_texts_are_shown_and_do_nothing():
    parsed = Parsed(source("hostile"))
    for label in HOSTILE:
        shown = printable(label)
        assert shown in parsed.text or shown.replace("\n", " ") in parsed.text, label
    assert "49" not in {text.strip() for text in parsed.texts}


def test_the_result_is_said_first():
    text = " ".join(Parsed(source("single-label")).text.split())
    assert "92.4% of 2,077 test texts right, 95% interval 91.2% to 93.5%" in text
    assert text.index("4.0 points above TF-IDF") < text.index("Each label")
    assert "92.5% ± 1.5%" in text


def test_examples_say_right_and_wrong_in_words_and_count_tokens():
    text = " ".join(Parsed(source("single-label")).text.split())
    assert text.count("✗ wrong") == 2
    assert text.count("✓ right") == 1
    assert "640 of 640 tokens read in 2 windows" in text


def test_a_multi_label_example_is_right_in_any_order():
    report = REPORTS["multi-label"]()
    report["examples"][0] |= {"label": ["a", "b"], "prediction": ["b", "a"], "right": True}
    assert "✓ right" in render(report).text


def test_many_labels_give_pairs_instead_of_cells():
    labels = [f"label {i}" for i in range(150)]
    matrix = np.eye(150, dtype=int) * 30
    matrix[7, 9] = 12
    parsed = render(with_labels(labels, matrix))
    assert not any("Confusion matrix" in (a["aria-label"] or "") for a in parsed.all("svg"))
    text = " ".join(parsed.text.split())
    assert "label 7 label 9 12 28.6%" in text
    assert "All 150 labels" in text
    assert "The 10 with the lowest F1" in text


def test_the_same_report_gives_the_same_bytes_in_another_process(tmp_path):
    report = tmp_path / "report.json"
    report.write_text(to_json(single_label()), encoding="utf-8")
    code = (
        "import json, sys; from headway.reports.page import page; "
        "print(json.dumps(page(json.load(open(sys.argv[1])))), "
        "'matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(report)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONHASHSEED": "1"},
    )
    there, _, pyplot = done.stdout.rpartition(" ")
    assert json.loads(there) == source("single-label")
    assert pyplot.strip() == "False"


def test_the_page_leaves_the_report_and_matplotlib_as_they_were():
    import matplotlib

    def settings():
        return {k: matplotlib.rcParams[k] for k in matplotlib.rcParams if "backend" not in k}

    report = plain(single_label())
    before, kept = copy.deepcopy(report), settings()
    page(report)
    assert report == before
    assert settings() == kept


def test_the_examples_in_docstrings_run():
    import doctest

    for module in pkgutil.iter_modules(headway.reports.__path__):
        found = doctest.testmod(importlib.import_module(f"headway.reports.{module.name}"))
        assert found.failed == 0, module.name


def test_import_is_light():
    code = (
        "import sys, headway.reports; heavy = 'torch scipy sklearn matplotlib jinja2 rich numpy'; "
        "print([m for m in heavy.split() if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_titles_are_escaped_in_attributes():
    text = source("hostile")
    assert html.escape(HOSTILE[0]) in text
    assert HOSTILE[0] not in text
