"""Steps whose results are kept: the same rows, made once, whole or not at all."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.data import Dataset, step
from headway.data.cache import Store
from headway.errors import ConfigError, DataError, HeadwayError, OutputError

from .helpers import texts


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "steps")


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of 1,000 rows, however short these are."""
    monkeypatch.setattr(step, "_PART_BYTES", 1)


def numbers(rows: int = 3500) -> Dataset:
    return Dataset.from_columns({"n": range(rows), "word": [f"w{n % 7}" for n in range(rows)]})


def calls(path: Path) -> int:
    return len(path.read_text()) if path.exists() else 0


def counting(path: Path, f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function that leaves a mark at every call."""

    def counted(row: Any) -> Any:
        with path.open("a") as file:
            file.write("x")
        return f(row)

    return counted


# What a step does, as verbs of a data set and as Python on its rows.
STEPS: dict[str, tuple[Callable[[Dataset], Dataset], Callable[[list[Any]], list[Any]]]] = {
    "map": (
        lambda d: d.map(lambda row: {"n": row["n"] + 1, "size": len(row["text"])}),
        lambda rows: [{**r, "n": r["n"] + 1, "size": len(r["text"])} for r in rows],
    ),
    "map lists": (
        lambda d: d.map(lambda b: {"n": [2 * n for n in b["n"]]}, batched=True, workers=2),
        lambda rows: [{**r, "n": 2 * r["n"]} for r in rows],
    ),
    "map arrays": (
        lambda d: d.map(lambda b: {"half": b["n"] / 2}, batched="numpy"),
        lambda rows: [{**r, "half": r["n"] / 2} for r in rows],
    ),
    "map tables": (
        lambda d: d.map(lambda t: pa.table({"m": pc.negate(t["n"])}), batched="arrow"),
        lambda rows: [{**r, "m": -r["n"]} for r in rows],
    ),
    "replace": (
        lambda d: d.map(lambda row: {"n": row["n"], "text": row["text"]}, replace=True),
        lambda rows: [{"n": r["n"], "text": r["text"]} for r in rows],
    ),
    "filter": (
        lambda d: d.filter(lambda row: row["n"] % 3, workers=2),
        lambda rows: [r for r in rows if r["n"] % 3],
    ),
    "expression": (
        lambda d: d.filter(pc.field("n") > 2),
        lambda rows: [r for r in rows if r["n"] > 2],
    ),
    "sort": (
        lambda d: d.sort("n", descending=True),
        lambda rows: sorted(rows, key=lambda r: -r["n"]),
    ),
    "turn": (
        lambda d: d.select(range(len(d) - 1, -1, -1)),
        lambda rows: rows[::-1],
    ),
    "cut": (lambda d: d[1:7], lambda rows: rows[1:7]),
    "twice": (lambda d: d.concatenate(d), lambda rows: rows * 2),
    "cast": (
        lambda d: d.cast({"n": "double"}),
        lambda rows: [{**r, "n": float(r["n"])} for r in rows],
    ),
    "distinct": (
        lambda d: d.deduplicate(["n"]),
        lambda rows: _first(rows),
    ),
}


def _first(rows: list[Any]) -> list[Any]:
    seen: dict[Any, Any] = {}
    for row in rows:
        seen.setdefault(row["n"], row)
    return list(seen.values())


@settings(deadline=None, max_examples=40)
@given(
    rows=st.lists(st.fixed_dictionaries({"text": texts, "n": st.integers(-9, 9)}), min_size=1),
    names=st.lists(st.sampled_from(sorted(STEPS)), max_size=4),
)
def test_steps_are_what_lists_do_cached_or_not(rows: list[Any], names: list[str]) -> None:
    expected = rows
    for name in names:
        expected = STEPS[name][1](expected)
    with TemporaryDirectory() as folder:
        plain = Dataset.from_rows(rows)
        first, second = (plain.cached(Store(folder)) for _ in range(2))
        for name in names:
            plain, first = STEPS[name][0](plain), STEPS[name][0](first)
        made = len(Store(folder).history.made())
        for name in names:
            second = STEPS[name][0](second)
        assert list(plain) == list(first) == list(second) == expected
        assert plain.fingerprint == first.fingerprint == second.fingerprint
        assert len(Store(folder).history.made()) == made


@pytest.mark.usefixtures("small_parts")
def test_a_step_is_made_once_and_only_new_columns_are_written(store: Store, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    f = counting(marks, lambda row: {"twice": 2 * row["n"]})
    for _ in range(2):
        made = numbers().cached(store).map(f)
        assert made["twice"] == [2 * n for n in range(3500)]
        assert made.column_names == ["n", "word", "twice"]
    assert calls(marks) == 3500
    (entry,) = store.entries()
    files = sorted(entry.path.glob("part-*"))
    assert len(files) == 4
    assert pa.ipc.open_file(pa.memory_map(str(files[0]))).schema.names == ["twice"]


@pytest.mark.usefixtures("small_parts")
def test_columns_and_types_that_only_some_parts_have(store: Store) -> None:
    def late(row: dict[str, Any]) -> dict[str, Any]:
        n = row["n"]
        made = {"m": None if n < 1200 else n / 2}
        return made if n < 2000 else {**made, "word": "late"} if n < 2500 else {"other": n}

    kept = numbers().cached(store).map(late)
    plain = numbers().map(late)
    assert kept.to_arrow().schema == plain.to_arrow().schema
    assert list(kept) == list(plain)
    assert list(numbers().cached(store).map(late)) == list(plain)
    nothing = numbers().cached(store).map(lambda row: {})
    assert list(nothing) == list(numbers())


@pytest.mark.usefixtures("small_parts")
def test_any_number_of_workers_makes_the_same(store: Store, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    f = counting(marks, lambda row: {"pid": os.getpid(), "n": -row["n"]})
    by_two = numbers().cached(store).map(f, workers=2)
    assert set(by_two["pid"]) != {os.getpid()}
    assert by_two["n"] == [-n for n in range(3500)]
    assert numbers().cached(store).map(f)["pid"] == by_two["pid"]
    assert calls(marks) == 3500
    kept = numbers().filter(lambda row: row["n"] % 2, workers=3)
    assert kept["n"] == list(range(1, 3500, 2))


def fail_at(row: dict[str, Any]) -> dict[str, Any]:
    if row["n"] == 2200:
        raise DataError("row 2200 is odd", allowed="even rows")
    return {"m": row["n"]}


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.usefixtures("small_parts")
def test_an_error_comes_as_it_was_raised(store: Store, workers: int) -> None:
    with pytest.raises(DataError, match=r"row 2200 is odd\. Allowed: even rows"):
        numbers().cached(store).map(fail_at, workers=workers)
    with pytest.raises(DataError, match="row 2200"):
        numbers().map(fail_at, workers=workers)
    assert store.entries() == []


def _killed(folder: Path, marks: Path, workers: int) -> None:
    def f(row: dict[str, Any]) -> dict[str, Any]:
        if row["n"] == 2500 and calls(marks) < 4000:
            os.kill(os.getppid() if workers > 1 else os.getpid(), signal.SIGKILL)
            time.sleep(5)
        with marks.open("a") as file:
            file.write("x")
        return {"m": row["n"] + 1}

    step._PART_BYTES = 1
    numbers().cached(Store(folder)).map(f, workers=workers)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_step_goes_on_from_its_finished_parts(tmp_path: Path, workers: int) -> None:
    marks, folder = tmp_path / "marks", tmp_path / "steps"
    context = multiprocessing.get_context("fork")
    first = context.Process(target=_killed, args=(folder, marks, workers))
    first.start()
    first.join(30)
    assert first.exitcode == -signal.SIGKILL
    assert Store(folder).entries() == []
    time.sleep(0.5)  # in which workers without a parent end
    done = [path.name for path in sorted(folder.glob(".unfinished-*/part-*"))]
    assert len(done) >= (2 if workers == 1 else 1)
    before = calls(marks)
    marks.write_text("x" * 5000)
    second = context.Process(target=_killed, args=(folder, marks, workers))
    second.start()
    second.join(30)
    assert second.exitcode == 0
    (entry,) = Store(folder).entries()
    kept = sum(500 if "3" in name else 1000 for name in done)  # the last of four is shorter
    assert calls(marks) - 5000 == 3500 - kept
    assert before >= kept
    rows = [pa.ipc.open_file(str(p)).read_all() for p in sorted(entry.path.glob("part-*"))]
    assert pa.concat_tables(rows)["m"].to_pylist() == list(range(1, 3501))
    (made,) = Store(folder).history.made()
    assert made.resumed
    assert made.rows == 3500


def _races(folder: Path, marks: Path) -> None:
    def f(row: dict[str, Any]) -> dict[str, Any]:
        with marks.open("a") as file:
            file.write("x")
        return {"m": row["n"]}

    if numbers(300).cached(Store(folder)).map(f)["m"] != list(range(300)):
        os._exit(3)


def test_of_processes_that_race_one_computes(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    args = (tmp_path / "steps", tmp_path / "marks")
    racers = [context.Process(target=_races, args=args) for _ in range(3)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(60)
    assert [racer.exitcode for racer in racers] == [0] * 3
    assert calls(tmp_path / "marks") == 300


@pytest.fixture
def limited() -> Iterator[None]:
    """No file grows beyond 64 kB; a write beyond is an error, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.usefixtures("limited", "small_parts")
def test_a_disk_that_is_full_leaves_nothing_half_written(store: Store, workers: int) -> None:
    data = numbers()
    before = data.fingerprint

    def f(row: dict[str, Any]) -> dict[str, Any]:
        return {"long": "x" * 90} if row["n"] > 2000 else {"long": ""}

    with pytest.raises(OutputError, match=r"cannot be written.*Next: free some space"):
        data.cached(store).map(f, workers=workers)
    assert store.entries() == []
    assert not list(store.folder.glob(".unfinished-*"))
    assert data.fingerprint == before
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, -1))
    assert len(data.cached(store).map(f, workers=workers)["long"]) == 3500


HELPER = "LIMIT = 2\ndef short(text):\n    return text[:LIMIT]  # cut\n"
STEP = "import cut_helper\ndef clean(row):\n    return {'word': cut_helper.short(row['word'])}\n"


def test_a_step_is_made_again_when_what_it_reaches_changes(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def words(helper: str) -> list[str]:
        (tmp_path / "cut_helper.py").write_text(helper)
        (tmp_path / "cut_step.py").write_text(STEP)
        for name in ("cut_helper", "cut_step"):
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        step = importlib.import_module("cut_step")
        return Dataset.from_columns({"word": ["abcd"]}).cached(store).map(step.clean)["word"]

    assert words(HELPER) == ["ab"]
    assert words(HELPER.replace("# cut", "# cut it")) == ["ab"]
    assert [made.why for made in store.history.made()] == [["first time"]]
    assert words(HELPER.replace("= 2", "= 3")) == ["abc"]
    assert store.history.made()[0].why == ["cut_helper.LIMIT was 2 and is 3"]
    assert words(HELPER.replace("[:LIMIT]", "[LIMIT:]")) == ["cd"]
    assert store.history.made()[0].why == ["code of cut_helper.short has changed"]
    assert words(HELPER) == ["ab"]
    assert len(store.history.made()) == 3
    for name in ("cut_helper", "cut_step"):
        sys.modules.pop(name, None)


def test_why(store: Store) -> None:
    def longer(most: int) -> Callable[[Any], bool]:
        return lambda row: row["n"] > most

    data = numbers(10)
    data.cached(store).filter(longer(3))
    data.cached(store).filter(longer(4))
    assert store.history.made()[0].why[0].endswith("most of " + _of(longer) + " was 3 and is 4")
    data[:9].cached(store).filter(longer(4))
    assert store.history.made()[0].why == ["data has changed"]
    most = store.most_bytes
    store.most_bytes = 0
    store.clean()
    store.most_bytes = most
    data.cached(store).filter(longer(4))
    assert store.history.made()[0].why == ["its result had been cleaned away"]


def _of(longer: Callable[[int], Callable[[Any], bool]]) -> str:
    inner = longer(1)
    return f"{inner.__module__}.{inner.__qualname__}"


def test_a_long_list_in_an_expression_counts_to_its_middle(store: Store) -> None:
    data = numbers(2000).cached(store)
    for middle in (500, 501):
        wanted = [*range(100), middle, *range(1000, 1100)]
        assert data.filter(pc.field("n").isin(wanted))["n"] == wanted


class Codes:
    """A tokenizer that is known by its fingerprint."""

    def __init__(self, fingerprint: str, marks: Path) -> None:
        self.fingerprint = fingerprint
        self.marks = marks

    def encode_arrow(self, array: pa.Array, /, *, special: bool = True) -> pa.RecordBatch:
        with self.marks.open("a") as file:
            file.write("x")
        ids = [[ord(c) for c in text] for text in array.to_pylist()]
        return pa.record_batch({"ids": pa.array(ids, pa.list_(pa.int32()))})


def test_a_tokenizer_is_known_by_its_fingerprint(store: Store, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    for name, times in (("a", 1), ("a", 1), ("b", 2)):
        made = numbers(5).cached(store).tokenize(Codes(name, marks), column="word")
        assert made["ids"][1] == [ord("w"), ord("1")]
        assert calls(marks) == times
    turned = numbers(5).cached(store).shuffle(seed=1)
    assert turned.tokenize(Codes("a", marks), column="word")["word"] == turned["word"]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.usefixtures("small_parts")
def test_an_interrupt_leaves_the_finished_parts(store: Store, tmp_path: Path, workers: int) -> None:
    marks = tmp_path / "marks"

    def f(row: dict[str, Any]) -> dict[str, Any]:
        if row["n"] == 3100 and not marks.exists():
            marks.write_text("x")
            os.kill(os.getppid() if workers > 1 else os.getpid(), signal.SIGINT)
            time.sleep(30)
        return {"m": row["n"]}

    with pytest.raises(KeyboardInterrupt):
        numbers().cached(store).map(f, workers=workers)
    assert store.entries() == []
    assert len(list(store.folder.glob(".unfinished-*/part-*"))) >= 2
    assert numbers().cached(store).map(f, workers=workers)["m"] == list(range(3500))
    assert store.history.made()[0].resumed


def test_a_worker_that_is_killed_is_an_error() -> None:
    def f(row: dict[str, Any]) -> dict[str, Any]:
        os.kill(os.getpid(), signal.SIGKILL)
        return row

    with pytest.raises(HeadwayError, match="ended by signal 9"):
        numbers().map(f, workers=2)
    with pytest.raises(ConfigError, match="0 workers"):
        numbers().map(f, workers=0)


def test_groups_are_kept(store: Store) -> None:
    for _ in range(2):
        made = numbers(70).cached(store).group_by("word", most=("n", "max"))
        assert made["most"] == list(range(63, 70))
    assert len(store.history.made()) == 1
