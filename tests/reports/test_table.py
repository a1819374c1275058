"""The tables on the terminal."""

from rich.console import Console

from headway.reports import result_table, seed_table

from .frozen import regression, single_label


def printed(table, width=120) -> list[str]:
    console = Console(width=width, color_system=None, highlight=False)
    with console.capture() as captured:
        console.print(table)
    return [" ".join(line.split()) for line in captured.get().splitlines() if line.strip()]


def test_the_result_stands_beside_the_baseline():
    lines = printed(result_table(single_label()))
    assert lines[0] == "this model 95% interval TF-IDF + logistic regression difference"
    assert "Accuracy 92.4% 91.2% to 93.5% 88.5% (87.1% to 89.8%) +4.0" in lines
    assert "Macro F1 92.3% – 88.1% +4.2" in lines


def test_no_baseline():
    report = single_label()
    del report["baseline"]
    lines = printed(result_table(report))
    assert lines[0] == "this model 95% interval"
    assert "Accuracy 92.4% 91.2% to 93.5%" in lines


def test_brackets_are_no_markup():
    report = single_label()
    report["baseline"]["name"] = "[red]base[/red] [x"
    assert "[red]base[/red] [x" in printed(result_table(report))[0]


def test_seeds():
    lines = printed(seed_table(single_label()))
    assert lines[0] == "3 seeds mean ± 95% interval each seed"
    assert "Baseline accuracy 88.6% ± 3.5% 88.5%, 90.0%, 87.2%" in lines
    assert "Pearson 0.929 ± 0.019 0.928, 0.931" in printed(seed_table(regression()))
    report = single_label()
    del report["seeds"]
    assert printed(seed_table(report))[0] == "0 seeds mean ± 95% interval each seed"
