from __future__ import annotations

from .texts import small


def test_what_is_dropped_is_dropped_whenever_it_is_measured() -> None:
    """Texts that are told by what is dropped of them."""
    settings = {"objective": "contrastive", "validate_every": 4}
    reports = [small(dropout=rate, **settings).report for rate in (0.1, 0.4)]
    for report in reports:
        assert report["curve"]["validation"][-1]["loss"] == report["after"]["held-out"]["loss"]
    first, second = (report["before"]["held-out"]["loss"] for report in reports)
    assert first < second
