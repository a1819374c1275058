"""A pipeline's answers as lines on a terminal: one function a task."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import click

from headway.reports.plain import printable
from headway.reports.words import shorten

__all__ = ["LINES", "line_of", "width_of"]

LABEL, TEXT = 24, 20
"""Most characters of a label; fewest of a text beside its answer, which ends with the line."""

Line = tuple[str, str]
"""What was found, and the text that stands behind it; or only the latter."""


def width_of(labels: tuple[str, ...]) -> int:
    """How wide answers stand that have one of these labels."""
    return min(LABEL, max(map(len, labels), default=0)) + len(" 0.000")


def line_of(task: str, given: str, answer: Any, *, width: int) -> str:
    """What is shown of an answer.

    Args:
        task: that was asked.
        given: the input as people read it.
        answer: of the task's pipeline.
        width: of what was found, where the text stands behind it.
    """
    found, text = LINES[task](given, answer)
    read = ""
    tokens = answer.get("tokens") if isinstance(answer, dict) else None
    # Texts that are read side by side, each for itself, are no windows of one.
    apart = 2 if task == "sentence-similarity" else len(_choices(task, answer)) or 1
    if tokens and tokens.get("windows", 1) > apart:
        read = "  [{total:,} tokens in {windows:,} windows]".format(**tokens)
    if found:
        found = found.ljust(width)
        room = max(TEXT, shutil.get_terminal_size().columns - len(found) - len("  ") - len(read))
        text = f"{click.style(found, bold=True)}  {shorten(printable(text), room)}"
    return (text + (click.style(read, dim=True) if read else "")).rstrip()


def _choices(task: str, answer: Any) -> list[float]:
    """The scores of the choices of a row, which are read one by one."""
    return answer["scores"] if task == "multiple-choice" else []


def _labelled(given: str, answer: dict[str, Any]) -> Line:
    """`label score  text`."""
    labels, scores = answer["label"], answer["score"]
    if not isinstance(labels, list):
        labels, scores = [labels], [scores]
    names = (shorten(printable(label), LABEL) for label in labels)
    parts = [f"{name} {score:.3f}" for name, score in zip(names, scores, strict=True)]
    return ", ".join(parts) or "(no label)", given


def _answered(given: str, answer: dict[str, Any]) -> Line:
    """`answer score  question ⏐ context`."""
    answers, scores = answer["answer"], answer["score"]
    if not isinstance(answers, list):
        answers, scores = [answers], [scores]
    parts = [
        f"{shorten(printable(one), 60) or '(no answer)'} {score:.3f}"
        for one, score in zip(answers, scores, strict=True)
    ]
    return ", ".join(parts), given


def _scored(given: str, answer: dict[str, Any]) -> Line:
    """`score  text ⏐ text`."""
    return f"{answer['score']:.3f}", given


def _tagged(given: str, answer: dict[str, Any]) -> Line:
    """The text with what was found in brackets: `[John Smith PER] lives in [Paris LOC].`"""
    if "tags" in answer:
        words = [f"{one['text']}/{one['label']}" for one in answer["tags"]]
        return "", printable(" ".join(words))
    parts, last = [], 0
    for one in answer["entities"]:
        found = click.style(f"[{printable(one['text'])} {printable(one['label'])}]", bold=True)
        parts += [printable(given[last : one["start"]]), found]
        last = one["end"]
    return "", "".join([*parts, printable(given[last:])])


def _filled(given: str, answer: dict[str, Any]) -> Line:
    """The text with the likeliest words in it, and the others behind."""
    parts, last, others = [], 0, []
    for mask in answer["masks"]:
        best, *rest = mask["words"]
        parts += [printable(given[last : mask["start"]]), click.style(printable(best), bold=True)]
        last = mask["end"]
        told = zip(rest, mask["scores"][1:], strict=True)
        others.append(", ".join(f"{printable(word)} {score:.2f}" for word, score in told))
    text = "".join([*parts, printable(given[last:])])
    return "", f"{text}  ({'; '.join(others)})" if any(others) else text


def _written(given: str, answer: dict[str, Any] | str) -> Line:
    """What was written, alone."""
    return "", printable(answer if isinstance(answer, str) else answer["text"])


LINES: dict[str, Callable[[str, Any], Line]] = {
    "dialogue": _written,
    "fill-mask": _filled,
    "multiple-choice": _labelled,
    "question-answering": _answered,
    "sentence-similarity": _scored,
    "summarization": _written,
    "text-classification": _labelled,
    "text-generation": _written,
    "text2text-generation": _written,
    "token-classification": _tagged,
    "translation": _written,
    "zero-shot-classification": _labelled,
}
"""Task -> (the input as people read it, the answer) -> a line."""
