"""Every example runs as its first lines say, from another folder, and shows what it is about."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

SHOWN = {
    "adapt_tickets": r"decided: train 38(.|\n)* test texts \(95% interval(.|\n)*'windows': [2-9]",
    "attention_map": r"\[CLS\] -> (.|\n)*head 11: cosine 0\.\d{4}",
    "mrpc": r"^1 batches, the last: .*'ids': 272, (.|\n)*in common: {'accuracy': 1.0, 'binary_f1'",
    "embed_and_search": r"^0\.\d\d  .*courier(.*\n){5}\Z",
}
"""Example -> a pattern of what it prints."""


def run(name: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / f"{name}.py", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_example_is_run() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(SHOWN)


@pytest.mark.slow
@pytest.mark.parametrize("name", SHOWN)
def test_an_example_runs(name: str, tmp_path: Path) -> None:
    ran = run(name, tmp_path)
    if "the package index could not be reached" in ran.stderr:
        pytest.skip(ran.stderr.strip().splitlines()[-1])
    assert ran.returncode == 0, ran.stderr
    assert not ran.stderr
    assert re.search(SHOWN[name], ran.stdout, re.M), ran.stdout


@pytest.mark.slow
def test_mrpc_as_it_is_published(tmp_path: Path) -> None:
    """1,147 of the 1,725 test pairs are paraphrases, so guessing so gives GLUE's 66.5 and 79.9."""
    folder = Path(__file__).parents[3] / "shared" / "data" / "mrpc"
    if not folder.is_dir():
        pytest.skip(f"no public data sets at {folder.parent}")
    ran = run("mrpc", tmp_path, str(folder))
    if "the package index could not be reached" in ran.stderr:
        pytest.skip(ran.stderr.strip().splitlines()[-1])
    assert "all are paraphrases: {'accuracy': 0.6649" in ran.stdout, ran.stderr
    assert "'binary_f1': 0.7987" in ran.stdout


@pytest.mark.parametrize("name", SHOWN)
def test_its_first_lines_say_how_it_is_run(name: str) -> None:
    text = (EXAMPLES / f"{name}.py").read_text("utf-8")
    assert f"\nUsage: python examples/{name}.py" in text.partition('"""\n\nfrom')[0]
