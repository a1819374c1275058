"""What a report has to know of one kind of answers: its measures, and the words around them."""

from __future__ import annotations

from dataclasses import dataclass

from headway.reports.words import decimals, percent, points

__all__ = ["Measure", "Sheet"]


@dataclass(frozen=True)
class Measure:
    """A measured quantity: its key in the report, its name, the hub's name for it, how to print it.

    `larger_is_better`: False for errors. `share`: of 1, printed in hundredths, in percent where it
    is one.
    """

    key: str
    name: str
    hub_name: str
    share: bool = True
    larger_is_better: bool = True
    percent: bool = True

    def say(self, value: float | None) -> str:
        """The value as people read it."""
        if not self.share:
            return decimals(value)
        return percent(value) if self.percent else percent(value).removesuffix("%")

    def say_tick(self, value: float, _position: object = None) -> str:
        """The value beside an axis."""
        if not self.share:
            return f"{value:.4g}".replace("-", "−")
        return f"{100 * value:.4g}" + ("%" if self.percent else "")

    def say_difference(self, value: float | None) -> str:
        """A difference of two values, with its sign."""
        if self.share or value is None:
            return points(value)
        return decimals(value) if value < 0 else "+" + decimals(value)


@dataclass(frozen=True)
class Sheet:
    """One kind.

    Attributes:
        measures: in the order of a table; the first is the headline's, and has the interval.
        headline: of `{value}`, the first measure, and `{n}`, how many test rows there are.
        about: what the measures are, in a sentence or two.
        interval: how the interval is made.
        answer: what the model answers with, of `{labels}`, how many labels it has.
        details: the title of what is said by label.
        row: what one row of the data is called.
        support: what is counted of each label.
        truth: what a right answer is called.
        said, true: before an answer and before the right one, where an example is shown.
        judged: whether an answer is either right or wrong.
        call: what the pipeline of such a model is called with, in Python; MASK is a mask token.
        shell: the same behind `headway predict RUN`.
    """

    measures: tuple[Measure, ...]
    headline: str
    about: str
    interval: str
    answer: str
    details: str = "Labels"
    row: str = "text"
    support: str = "test rows"
    truth: str = "label"
    said: str = "said"
    true: str = "true"
    judged: bool = True
    call: str = '["your text"]'
    shell: str = '"your text"'

    @property
    def rows(self) -> str:
        """Several of `row`."""
        return f"{self.row[:-1]}ies" if self.row.endswith("ly") else f"{self.row}s"
