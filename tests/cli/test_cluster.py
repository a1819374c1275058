from __future__ import annotations

import dataclasses

import headway as package

from .calls import document, error_of, headway


def test_groups_and_their_texts(model: str, tickets: str) -> None:
    wanted = package.cluster(model, tickets, clusters=3)
    result = headway("cluster", model, tickets, "--clusters", "3")
    assert result.exit_code == 0, result.stderr
    for each in wanted.clusters:
        assert f"{each['name']}: {each['size']} text" in result.stdout
        assert f"  row {each['nearest'][0]['row'] + 1}: " in result.stdout
    told = document(headway("cluster", model, tickets, "--clusters", "3", "--json"))
    assert told == dataclasses.asdict(wanted)


def test_more_groups_than_texts(model: str, tickets: str) -> None:
    assert "91 clusters of 90" in error_of(headway("cluster", model, tickets, "--clusters", "91"))
