"""SQuAD documents: articles with paragraphs with questions, flattened to one row a question.

Source of the format: https://rajpurkar.github.io/SQuAD-explorer/ (versions 1.1 and 2.0).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from headway.errors import DataError

__all__ = ["is_squad", "rows_of"]


def is_squad(document: Any) -> bool:
    """Whether a JSON document has SQuAD's outer shape."""
    articles = document.get("data") if isinstance(document, dict) else None
    return (
        isinstance(articles, list)
        and bool(articles)
        and all(isinstance(article, dict) and "paragraphs" in article for article in articles)
    )


def rows_of(path: Path, document: Any) -> list[dict[str, Any]]:
    """Rows with id, title, context, question and answers {text: [...], answer_start: [...]}.

    `answer_start` counts characters of the context. A question without an answer has empty lists.

    Raises:
        DataError: a paragraph or question that lacks a part; the message says which.
    """
    rows: list[dict[str, Any]] = []
    for a, article in enumerate(document["data"]):
        for p, paragraph in enumerate(_part(path, f"data[{a}]", article, "paragraphs", list)):
            place = f"data[{a}].paragraphs[{p}]"
            context = _part(path, place, paragraph, "context", str)
            for q, question in enumerate(_part(path, place, paragraph, "qas", list)):
                asked = f"{place}.qas[{q}]"
                answers = _part(path, asked, question, "answers", list, missing=[])
                rows.append(
                    {
                        "id": str(question.get("id", len(rows))),
                        "title": article.get("title", ""),
                        "context": context,
                        "question": _part(path, asked, question, "question", str),
                        "answers": {
                            "text": [_part(path, asked, one, "text", str) for one in answers],
                            "answer_start": [
                                _part(path, asked, one, "answer_start", int) for one in answers
                            ],
                        },
                    }
                )
    return rows


def _part(
    path: Path, place: str, whole: Any, name: str, kind: type, *, missing: object = None
) -> Any:
    value = whole.get(name, missing) if isinstance(whole, dict) else None
    if not isinstance(value, kind):
        raise DataError(
            f"{path}: {place} has no {name!r} of the kind that SQuAD asks for",
            allowed="data[].paragraphs[].{context, qas[].{id, question, answers[].{text, "
            "answer_start}}}",
            next_step='field="data" to read it as plain JSON',
        )
    return value
