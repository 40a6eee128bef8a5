"""The built page in a Chromium: nothing comes from elsewhere; theme, search and formulas work."""

import contextlib
import time
import zlib
from pathlib import Path

import pytest
from support.browser import CHROMIUM, Browser, PageLeft
from support.server import address, serve

import engine
import nn
from engine import Value, play, tanh

ROOT = Path(engine.__file__).parent.parent
SITE = ROOT / "out/site"
AXE = ROOT / "docs/node_modules/axe-core/axe.min.js"
TUTORIAL, TABLE = "notebooks/02_chain_rule_edge_by_edge.html", "docs/reference/operations.html"
PAGES = ["docs/index.html", TUTORIAL, "playground/index.html", "code/index.html"]

pytestmark = [
    pytest.mark.site,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    pytest.mark.skipif(not SITE.exists(), reason="make site has not built the page"),
]


@pytest.fixture(scope="module")
def server():
    with serve(SITE) as one:
        yield one


@pytest.fixture(scope="module")
def browser():
    with Browser() as one:
        yield one


@pytest.fixture
def show(browser, server):
    """A function that opens a page, and returns the browser; no page may load anything from elsewhere."""

    def check():
        assert browser.errors == []
        assert [url for url in browser.requests if not url.startswith((server, "file:", "blob:"))] == []

    def opened(page, at="", width=1280, dark=False):
        check()  # the page before
        browser.window(width, dark=dark)
        browser.open(page if isinstance(page, Path) else address(server + page), at)
        return browser

    yield opened
    check()


def wait(browser, condition, tries=600):
    """Wait until an expression of JavaScript is true, on this page or the one that it leads to."""
    while True:
        with contextlib.suppress(PageLeft):
            if browser.run(f"Boolean({condition})"):
                return
        tries -= 1
        assert tries, condition
        time.sleep(0.05)


def serious(browser):
    """Return the serious findings of axe-core on the page that is open."""
    browser.run(AXE.read_text(encoding="utf-8") + "; 0")
    found = browser.run("axe.run(document, { resultTypes: ['violations'] }).then((all) => all.violations)")
    return [
        (one["id"], node["target"], node["failureSummary"])
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("width", [390, 1280])
def test_a_page_fits_the_window_and_loads_nothing_from_elsewhere(show, page, width):
    browser = show(page, width=width)
    browser.run("new Promise((done) => setTimeout(done, 500))")  # for what is loaded late
    assert browser.requests
    assert browser.run("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_axe_has_no_serious_finding_on_a_page(show, page, dark):
    assert serious(show(page, dark=dark)) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_has_no_serious_finding_on_the_player(show, tmp_path, dark):
    x, w = Value(2.0, label="x"), Value(-0.5, label="w")
    page = play(tanh(w * x), title="A neuron").save(tmp_path / "player.html")
    assert serious(show(page, dark=dark)) == []


def test_every_public_name_is_in_the_inventory_for_other_documentation():
    lines = zlib.decompress((SITE / "objects.inv").read_bytes().split(b"\n", 4)[4]).decode().splitlines()
    listed = {line.split()[0] for line in lines}
    names = {f"{module.__name__}.{name}" for module in (engine, nn) for name in module.__all__}
    assert names - listed == {"nn.Value"}  # which is engine.Value


def test_the_first_page_leads_to_the_documentation(show):
    browser = show("index.html")
    wait(browser, "location.pathname.endsWith('/docs/index.html')")


def test_formulas_are_typeset_by_the_mathjax_of_the_page(show):
    for page in (TABLE, TUTORIAL):
        browser = show(page)
        wait(browser, "document.querySelector('mjx-container')")
        assert any("_static/mathjax/es5/tex-chtml.js" in url for url in browser.requests)
        text = browser.run("document.querySelector('article').innerText")
        assert [line for line in text.splitlines() if "\\frac" in line or "\\partial" in line] == []
        assert browser.run("document.querySelector('mjx-merror')") is None


@pytest.mark.parametrize("word", ["gradcheck", "worksheet"])
def test_the_search_finds_the_entry_of_a_name(show, word):
    browser = show("search.html", at=f"?q={word}")
    wait(browser, "document.querySelector('#search-results li a')")
    links = browser.run("[...document.querySelectorAll('#search-results li a')].map((a) => a.href)")
    assert [link for link in links if "/docs/reference/" in link]


def test_the_playground_in_the_first_page_follows_the_switch_of_the_theme(show):
    browser = show("docs/index.html")
    browser.call("Emulation.setEmulatedMedia", features=[])  # the emulated theme would overrule the frame's
    dark = "document.querySelector('iframe').contentWindow.matchMedia('(prefers-color-scheme: dark)').matches"
    for theme in ("dark", "light", "dark"):
        browser.run(f"document.body.dataset.theme = '{theme}'")
        wait(browser, dark if theme == "dark" else f"!{dark}")


def test_the_player_and_the_pictures_follow_the_switch_of_the_theme(show):
    browser = show(TUTORIAL)
    state = """(() => [document.body.dataset.theme,
        document.querySelector('.chalkgrad').classList.contains('dark'),
        getComputedStyle(document.querySelector('img[src^="data:image/svg"]')).filter !== 'none'])()"""
    seen = []
    for _ in range(3):  # furo's button: automatic, then the other two
        browser.run("document.querySelector('.theme-toggle-content button, button.theme-toggle').click()")
        browser.run("new Promise(requestAnimationFrame)")
        seen.append(browser.run(state))
    assert sorted(seen) == [["auto", False, False], ["dark", True, True], ["light", False, False]]
