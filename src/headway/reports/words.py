"""Numbers as people read them."""

from __future__ import annotations

from typing import Any

__all__ = [
    "NOTHING",
    "count",
    "decimals",
    "file_size",
    "languages",
    "megabytes",
    "percent",
    "plural",
    "points",
    "seconds",
    "shorten",
]

NOTHING = "–"


def percent(share: float | None) -> str:
    """A share of 1 with one decimal.

    >>> percent(0.9415)
    '94.2%'
    """
    return NOTHING if share is None else f"{100 * share:.1f}%"


def points(difference: float | None) -> str:
    """A difference of two shares, with its sign, in percentage points.

    >>> points(-0.031)
    '−3.1'
    """
    return NOTHING if difference is None else f"{100 * difference:+.1f}".replace("-", "−")


def decimals(value: float | None) -> str:
    """A number that is no share: three decimals, or about four digits where it is large or tiny.

    >>> decimals(0.87654), decimals(280.252), decimals(12345.6), decimals(0.00002)
    ('0.877', '280.3', '12,346', '2e-05')
    """
    if value is None:
        return NOTHING
    if abs(value) >= 1000:
        return f"{value:,.0f}".replace("-", "−")
    if value and abs(value) < 0.001:
        return f"{value:.3g}".replace("-0.", "−0.")
    places = 1 if abs(value) >= 100 else 2 if abs(value) >= 10 else 3
    return f"{value:.{places}f}".replace("-", "−")


def count(value: float | None) -> str:
    """A whole number with its thousands apart.

    >>> count(2077)
    '2,077'
    """
    return NOTHING if value is None else f"{value:,.0f}"


def plural(n: int, one: str, many: str = "") -> str:
    """A count with its noun.

    >>> plural(1, "row"), plural(2077, "row"), plural(2, "text is", "texts are")
    ('1 row', '2,077 rows', '2 texts are')
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def seconds(value: float | None) -> str:
    """A duration in the two units that matter.

    >>> seconds(0.012), seconds(8.34), seconds(95), seconds(7384)
    ('12 ms', '8.3 s', '1 min 35 s', '2 h 3 min')
    """
    if value is None:
        return NOTHING
    if value < 1:
        return f"{1000 * value:.0f} ms"
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def megabytes(value: float | None) -> str:
    """A memory size given in megabytes.

    >>> megabytes(412.3), megabytes(2311)
    ('412 MB', '2.3 GB')
    """
    if value is None:
        return NOTHING
    return f"{value / 1000:.1f} GB" if value >= 1000 else f"{value:.0f} MB"


def file_size(size: int) -> str:
    """A number of bytes on disk, in the largest unit of which there is one.

    >>> file_size(0), file_size(3_200), file_size(412_300_000), file_size(2_311_000_000)
    ('0 B', '3 kB', '412 MB', '2.3 GB')
    """
    if size >= 10**9:
        return f"{size / 10**9:.1f} GB"
    unit, name = next(((u, n) for u, n in ((10**6, "MB"), (10**3, "kB")) if size >= u), (1, "B"))
    return f"{size / unit:.0f} {name}"


def shorten(text: str, limit: int) -> str:
    """The text on one line of at most `limit` characters, the last an ellipsis if it was cut.

    >>> shorten("a long label", 6)
    'a lon…'
    """
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def languages(found: dict[str, Any]) -> str:
    """Shares of languages, the first five, from {rows, found {code: rows}}.

    >>> languages({"rows": 4, "found": {"en": 3, "unknown": 1}})
    'en 75.0%, unknown 25.0%'
    """
    shares = [f"{code} {percent(n / found['rows'])}" for code, n in found["found"].items()]
    return ", ".join(shares[:5]) + (", …" if len(shares) > 5 else "") or NOTHING
