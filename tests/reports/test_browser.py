"""The page in a real browser: no request, no complaint, nothing cut off on a phone."""

import json
import re
import shutil
import subprocess

import pytest

from .test_data_page import hostile, ordinary
from .test_data_page import source as data_source
from .test_live import source as live_source
from .test_page import source

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine"),
]

# Writes into the page what cannot be seen from outside it: whether anything sticks out.
MEASURE = """<script>
const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
const out = [...document.querySelectorAll("svg")].flatMap(svg => {
  const box = svg.getBoundingClientRect();
  return [...svg.querySelectorAll("text")].filter(text => {
    const t = text.getBoundingClientRect();
    return t.left < box.left - 1 || t.right > box.right + 1
        || t.top < box.top - 1 || t.bottom > box.bottom + 1;
  }).map(text => text.textContent);
});
document.title = JSON.stringify({wide, out, pictures: document.querySelectorAll("svg").length});
</script>"""


def visit(path, tmp_path, width=1100):
    """The page's DOM after loading, what the browser said about it, and every address asked."""
    net_log = tmp_path / "net.json"
    done = subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--enable-logging=stderr",
            f"--log-net-log={net_log}",
            f"--user-data-dir={tmp_path / 'profile'}",
            f"--window-size={width},900",
            "--dump-dom",
            path.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=90,
        check=True,
    )
    complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    # The browser's own calls (its updates, its clock) have no page as their initiator.
    events = re.findall(r'"initiator":"([^"]*)".*"url":"([^"]*)"', net_log.read_text())
    asked = {url for who, url in events if who != "not an origin" and not url.startswith("file:")}
    return done.stdout, complaints, asked


@pytest.mark.parametrize("name", ["hostile", "regression"])
def test_no_request_and_no_complaint(tmp_path, name):
    path = tmp_path / "report.html"
    path.write_text(source(name), encoding="utf-8")
    dom, complaints, asked = visit(path, tmp_path)
    assert dom.count("<svg") >= 4
    assert complaints == []
    assert asked == set()


@pytest.mark.parametrize("name", ["hostile", "running"])
def test_a_live_page_asks_for_nothing(tmp_path, name):
    path = tmp_path / "live.html"
    path.write_text(live_source(name), encoding="utf-8")
    dom, complaints, asked = visit(path, tmp_path)
    assert dom.count("<svg") == 2
    assert complaints == []
    assert asked == set()


@pytest.mark.parametrize(("name", "width"), [("running", 500), ("hostile", 1100), ("done", 1100)])
def test_nothing_of_a_live_page_sticks_out(tmp_path, name, width):
    text = live_source(name).replace('http-equiv="Content-Security-Policy"', 'name="x"')
    path = tmp_path / "live.html"
    path.write_text(text.replace("</body>", MEASURE + "</body>"), encoding="utf-8")
    dom, _, _ = visit(path, tmp_path, width)
    found = json.loads(re.search(r"<title>(.*?)</title>", dom)[1])
    assert found == {"wide": 0, "out": [], "pictures": 2}


def test_the_check_sees_what_it_looks_for(tmp_path):
    text = source("single-label")
    injected = text.replace("</main>", "<script>document.title='run'</script></main>")
    image = '<img src="http://localhost:9/x.png">'
    path = tmp_path / "report.html"
    path.write_text(injected.replace("</main>", f"{image}</main>"), encoding="utf-8")
    dom, complaints, _ = visit(path, tmp_path)
    assert "<title>run</title>" not in dom  # the page's own policy stops it
    assert len(complaints) >= 2
    free = injected.replace('http-equiv="Content-Security-Policy"', 'name="x"')
    path.write_text(free.replace("</main>", f"{image}</main>"), encoding="utf-8")
    dom, _, asked = visit(path, tmp_path)
    assert "<title>run</title>" in dom
    assert asked == {"http://localhost:9/x.png"}


@pytest.mark.parametrize(
    ("name", "width"),
    [
        ("single-label", 500),
        ("multi-label", 500),
        ("regression", 500),
        ("hostile", 1100),
        ("tags", 500),
        ("summaries", 500),
    ],
)
def test_nothing_sticks_out(tmp_path, name, width):
    text = source(name)
    text = text.replace('http-equiv="Content-Security-Policy"', 'name="x"')
    path = tmp_path / "report.html"
    path.write_text(text.replace("</body>", MEASURE + "</body>"), encoding="utf-8")
    dom, _, _ = visit(path, tmp_path, width)
    found = json.loads(re.search(r"<title>(.*?)</title>", dom)[1])
    assert found["pictures"] >= 3
    assert found["wide"] == 0
    assert found["out"] == []


# Uses the page's controls as a reader would, and writes down what is left to see.
FILTER = """<script>
const count = () => rows.filter(row => row.getBoundingClientRect().height > 0).length;
const seen = {first: count()};
more.click();
seen.more = [count(), document.activeElement === rows[50]];
search.value = "STORY of 12 men";
search.dispatchEvent(new Event("input"));
seen.search = [count(), status_.textContent];
search.value = "";
const pick = (key, value) => {
  const select = document.querySelector(`select[data-key=${key}]`);
  select.value = value;
  select.dispatchEvent(new Event("change"));
};
pick("split", "test");
seen.split = status_.textContent;
pick("label", "b");
seen.label = status_.textContent;
marked.checked = true;
marked.dispatchEvent(new Event("change"));
seen.marked = rows.filter(row => !row.hidden).map(row => row.textContent.includes("near row"));
document.title = JSON.stringify(seen);
</script>"""


def test_the_data_page_filters_its_rows(tmp_path):
    text = data_source(*ordinary())
    text = text.replace('http-equiv="Content-Security-Policy"', 'name="x"')
    path = tmp_path / "report.html"
    path.write_text(text.replace("</body>", FILTER + "</body>"), encoding="utf-8")
    dom, complaints, _ = visit(path, tmp_path)
    assert complaints == []
    found = json.loads(re.search(r"<title>(.*?)</title>", dom)[1])
    assert found["first"] == 50
    assert found["more"] == [100, True]
    assert found["search"] == [2, "2 of 2 rows shown."]
    assert found["split"] == "50 of 50 rows shown."
    assert found["label"] == "17 of 17 rows shown."
    assert found["marked"] and all(found["marked"])


def test_the_data_page_s_policy_lets_its_script_run_and_no_other(tmp_path):
    text = data_source(*hostile())
    path = tmp_path / "report.html"
    path.write_text(text, encoding="utf-8")
    dom, complaints, asked = visit(path, tmp_path)
    assert (complaints, asked) == ([], set())
    assert re.search(r"\d+ of \d+ rows shown\.", dom)
    injected = text.replace("</main>", "<script>document.title='run'</script></main>")
    path.write_text(injected, encoding="utf-8")
    dom, complaints, _ = visit(path, tmp_path)
    assert "<title>run</title>" not in dom and complaints


@pytest.mark.parametrize("width", [500, 1100])
@pytest.mark.parametrize("made", [ordinary, hostile])
def test_nothing_sticks_out_of_the_data_page(tmp_path, made, width):
    text = data_source(*made()).replace('http-equiv="Content-Security-Policy"', 'name="x"')
    path = tmp_path / "report.html"
    path.write_text(text.replace("</body>", MEASURE + "</body>"), encoding="utf-8")
    dom, _, _ = visit(path, tmp_path, width)
    found = json.loads(re.search(r"<title>(.*?)</title>", dom)[1])
    assert found == {"wide": 0, "out": [], "pictures": 2}
