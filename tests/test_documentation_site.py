"""The built site, in a browser and as files. `make docs` builds it."""

import functools
import html.parser
import re
import shutil
import subprocess
import sys
import urllib.parse

import pytest

from hornbeam.core import lazy
from tests.markdown import ROOT

webdriver = pytest.importorskip("selenium.webdriver")
pytest.importorskip("sphinx")
DRIVER = shutil.which("chromedriver")
BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-headless-shell"))), None
)
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("documentation site")]
in_a_browser = pytest.mark.skipif(
    None in (BROWSER, DRIVER), reason="left out: no Chromium with its chromedriver"
)


@pytest.fixture(scope="module")
def site():
    """The folder of the site; what was built before is built anew where it is old."""
    folder = ROOT / "build" / "docs"
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    command += ["docs", str(folder)]
    done = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def browser():
    """A browser without a network."""
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for option in ("--headless", "--no-sandbox", "--disable-gpu"):
        options.add_argument(option)
    options.add_argument("--host-resolver-rules=MAP * ~NOTFOUND")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=DRIVER)
    driver = webdriver.Chrome(options=options, service=service)
    yield driver
    driver.quit()


class Page(html.parser.HTMLParser):
    """The links, the anchors and the parts of a page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.anchors, self.parts = [], set(), []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if attributes.get("id"):
            self.anchors.add(attributes["id"])
        if tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"])
        elif tag != "a":
            parts = (attributes.get(name) for name in ("src", "href"))
            self.parts += filter(None, parts)


@functools.cache
def read(path):
    return Page(path)


def html_pages(site):
    return [
        path
        for path in sorted(site.rglob("*.html"))
        if path.relative_to(site).parts[0][0] != "_"
    ]


def test_no_link_is_broken(site):
    broken = []
    for path in html_pages(site):
        for link in read(path).links:
            address = urllib.parse.urlsplit(link)
            if address.scheme or address.netloc:
                continue
            target = path
            if address.path:
                target = (path.parent / urllib.parse.unquote(address.path)).resolve()
            anchor = urllib.parse.unquote(address.fragment)
            if not target.exists():
                broken.append((str(path.relative_to(site)), link))
            elif anchor and target.suffix == ".html":
                if anchor not in read(target).anchors:
                    broken.append((str(path.relative_to(site)), link))
    assert broken == []


def test_nothing_comes_from_the_network(site):
    assert not [
        (path.name, part)
        for path in html_pages(site)
        for part in read(path).parts
        if re.match(r"(https?:)?//", part)
    ]


@pytest.mark.parametrize("space", ["layers", "optimizers", "losses", "ops.numpy"])
def test_every_public_name_has_its_place(site, space):
    text = (site / "api" / f"{space}.html").read_text("utf-8")
    missing = [
        name
        for name, (module, _) in lazy.names_of(f"hornbeam.{space}").items()
        if f">{name}</span>" not in text and module != f"hornbeam.{space}"
    ]
    assert missing == []


@in_a_browser
def test_pages_fit_a_phone(site, browser):
    browser.set_window_size(500, 900)  # the least that a headless Chromium takes
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": True},
    )
    wide = []
    for path in html_pages(site):
        browser.get(path.as_uri())
        script = "return [document.documentElement.scrollWidth, window.innerWidth]"
        width, screen = browser.execute_script(script)
        if width > 400 or screen > 400:
            wide.append((str(path.relative_to(site)), width, screen))
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert wide == []


@in_a_browser
@pytest.mark.parametrize("word", ["Dropout", "EarlyStopping"])
def test_search_finds_a_name_without_a_network(site, browser, word):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    browser.get(f"{(site / 'search.html').as_uri()}?q={word}")
    found = WebDriverWait(browser, 30).until(
        lambda driver: driver.find_elements(By.CSS_SELECTOR, "#search-results li a")
    )
    links = [link.get_attribute("href") for link in found]
    assert any(re.search(rf"api/\w+\.html#.*\b{word}$", link) for link in links), links


@in_a_browser
def test_pages_say_nothing_on_the_console(site, browser):
    browser.get_log("browser")
    for name in ("index.html", "start.html", "api/layers.html"):
        browser.get((site / name).as_uri())
    assert [entry["message"] for entry in browser.get_log("browser")] == []
