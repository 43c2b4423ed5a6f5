"""The live page in a browser, while a model trains."""

import copy

import pytest

import hornbeam as keras
from hornbeam import backends, layers
from tests import browser
from tests.visualization.test_live_page import During, X, Y, trained

pytestmark = [browser.needs_browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def driver():
    with browser.browser() as driver:
        yield driver


@pytest.fixture(autouse=True)
def on_torch():
    with backends.scope("torch"):
        yield


def until(driver, script):
    """Wait until a script gives what is true, and return it."""
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(driver, 60).until(lambda d: d.execute_script(script))


STATUS = "return document.getElementById('status').textContent"
ENDS = (
    "return [...document.querySelectorAll('#curves polyline')]"
    ".map((x) => x.getAttribute('points').split(' ').length)"
)


def test_curves_grow_while_it_trains(driver):
    page, seen = keras.callbacks.LivePage(), []

    def look():
        epoch = len(seen)
        if epoch == 0:
            driver.get(page.url)
        if epoch in (3, 5):  # this epoch is told to the page after this callback
            until(driver, f"{ENDS}.filter((n) => n >= {epoch}).length === 2")
        seen.append(driver.execute_script(ENDS))

    trained([page, During(look)], epochs=7, validation_split=0.25)
    assert "ended after 7 epochs" in until(driver, f"{STATUS}.match(/ended.*/)?.[0]")
    assert driver.execute_script(ENDS) == [7, 7]
    assert seen[5][0] > seen[3][0] > 0
    assert not browser.complaints(driver)


@pytest.mark.parametrize("width", browser.SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_search_can_be_read_and_sorted(driver, width, scheme):
    browser.resize(driver, width)
    browser.prefer(driver, scheme)
    with keras.callbacks.LivePage() as page:
        for number, rate in enumerate((0.1, 0.01, 0.001)):
            model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
            model.compile(keras.optimizers.SGD(rate), "mse")
            model.fit(X, Y, verbose=0, epochs=2, callbacks=[copy.deepcopy(page)])
            if number == 1:
                driver.get(page.url)
                until(driver, "return document.querySelectorAll('tbody tr').length > 1")
                button = driver.find_element("xpath", "//th/button[.='candidate']")
                button.click()
                button.click()  # the last one first
        rows = "[...document.querySelectorAll('table[data-table] tbody tr')]"
        until(driver, f"return {rows}.length === 3")
        order = driver.execute_script(f"return {rows}.map((x) => x.dataset.row)")
        assert order == ["2", "1", "0"]  # also where the table is a new one
        assert browser.overflow(driver) <= 0
        ink, ground = browser.luminances(driver, "h2")
        assert (ink > ground) == (scheme == "dark")
        assert browser.contrast(ink, ground) >= 4.5
        browser.picture(driver, f"live-search-{width}-{scheme}.png")
    assert not browser.complaints(driver)
