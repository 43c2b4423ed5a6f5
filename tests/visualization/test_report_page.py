"""Pages of runs in a browser: they sort, filter, and can be read in any window."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends, layers
from hornbeam.visualization.results import text
from tests import browser
from tests.visualization.test_report import search
from tests.visualization.test_search import grid

pytestmark = [
    browser.needs_browser,
    pytest.mark.usefixtures("python_only"),  # it has no gradients: nothing is timed
    pytest.mark.xdist_group("browser"),
]
ATTACK = "<script>document.title='taken'</script>"
draws = np.random.RandomState(0)


@pytest.fixture(scope="module")
def driver():
    with browser.browser() as driver:
        yield driver


def shown(driver, tmp_path, *args, **kwargs):
    """Open a page of a report."""
    path = keras.visualization.report(*args, path=tmp_path / "page.html", **kwargs)
    driver.get(path.as_uri())


def searched():
    params = grid(units=[8, 16, 32, 64], rate=[0.1, 0.2, 0.3], name=["a", ATTACK])
    scores = draws.uniform(size=(24, 3))
    recorder = keras.visualization.record_histories()
    recorder.records = [(p, {"loss": draws.uniform(size=5).tolist()}) for p in params]
    return search(params, scores, scoring=recorder), scores.mean(1)


def pictures():
    inner = [layers.Flatten(), layers.Dense(2, activation="softmax")]
    model = keras.Sequential([keras.Input((8, 8, 3)), *inner])
    model.name = ATTACK
    model.compile(loss="sparse_categorical_crossentropy")
    x = draws.uniform(size=(40, 8, 8, 3)).astype("float32")
    history = {"loss": [3.0, 2.0, 1.0], "val_loss": [3.0, 2.0, 1.5]}
    return model, history, (x, draws.randint(0, 2, 40))


def outputs():
    """A model of text with classes, numbers and labels, and labels that are wrong."""
    words = np.array(["a quick brown fox jumps over the lazy dog"] * 20 + [ATTACK] * 20)
    look_up = layers.TextVectorization(20, output_sequence_length=9)
    look_up.adapt(words)
    inputs = keras.Input((), dtype="string")
    pooled = layers.GlobalAveragePooling1D()(layers.Embedding(20, 4)(look_up(inputs)))
    heads = {
        "kind": layers.Dense(3, activation="softmax")(pooled),
        "price": layers.Dense(1)(pooled),
        "tags": layers.Dense(12, activation="sigmoid")(pooled),
    }
    model = keras.Model(inputs, heads)
    losses = ("sparse_categorical_crossentropy", "mse", "binary_crossentropy")
    model.compile("sgd", dict(zip(heads, losses, strict=True)))
    kind, price = draws.randint(0, 3, 40), draws.normal(size=40)
    tags = draws.randint(0, 2, (40, 12))
    return model, None, (words, {"kind": kind, "price": price, "tags": tags})


def column(driver, heading):
    """Return the words of a column of the ranking, of the rows that are seen."""
    return driver.execute_script(
        """
        const table = document.querySelector("table[data-table=ranking]");
        const heads = [...table.tHead.rows[0].cells].map((x) => x.textContent);
        const place = heads.indexOf(arguments[0]);
        return [...table.tBodies[0].rows].filter((row) => row.offsetHeight)
          .map((row) => row.cells[place].textContent);
        """,
        heading,
    )


def click(driver, heading):
    driver.find_element("xpath", f"//th/button[.='{heading}']").click()


def filter_by(driver, words):
    from selenium.webdriver import Keys

    field = driver.find_element("css selector", "input.hb-filter")
    field.send_keys(Keys.CONTROL, "a", Keys.DELETE)
    field.send_keys(words)


def test_the_ranking_sorts(driver, tmp_path):
    found, means = searched()
    shown(driver, tmp_path, found)
    scores = [f"{x:.4f}" for x in sorted(means)]
    assert column(driver, "score") == scores[::-1]
    click(driver, "score")
    assert column(driver, "score") == scores
    click(driver, "score")
    assert column(driver, "score") == scores[::-1]
    click(driver, "units")
    assert column(driver, "units") == [
        n for n in ("8", "16", "32", "64") for _ in "x" * 6
    ]
    heading = driver.find_element("css selector", "th[aria-sort]")
    assert heading.get_attribute("aria-sort") == "ascending"
    assert not browser.complaints(driver)


def test_the_ranking_filters_and_charts_follow(driver, tmp_path):
    found, _ = searched()
    shown(driver, tmp_path, found)
    filter_by(driver, "units>=32 rate<0.3")
    assert set(column(driver, "units")) == {"32", "64"}
    assert set(column(driver, "rate")) == {"0.1", "0.2"}
    assert "8 of 24" in driver.find_element("css selector", "[data-count]").text
    hidden = driver.execute_script(
        "return [...document.querySelectorAll('path[data-row]')]"
        ".filter((x) => getComputedStyle(x).visibility === 'hidden').length"
    )
    assert hidden == 16
    filter_by(driver, "document")
    assert column(driver, "name") == [text(ATTACK)] * 12
    filter_by(driver, "")
    assert len(column(driver, "units")) == 24
    assert driver.title != "taken"
    assert not browser.complaints(driver)


def test_a_row_is_marked_in_all_charts(driver, tmp_path):
    from selenium.webdriver import ActionChains

    found, _ = searched()
    shown(driver, tmp_path, found)
    browser.resize(driver, 1400)
    row = driver.find_element("css selector", "tbody tr[data-row]")
    ActionChains(driver).move_to_element(row).perform()
    marked = driver.find_elements("css selector", ".hb-on")
    assert {x.get_attribute("data-row") for x in marked} == {
        row.get_attribute("data-row")
    }
    assert {x.tag_name for x in marked} == {"tr", "path", "circle", "g"}


@pytest.mark.parametrize("width", browser.SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read(driver, tmp_path, width, scheme):
    browser.resize(driver, width)
    browser.prefer(driver, scheme)
    found, _ = searched()
    pages = {"search": [found], "model": pictures(), "outputs": outputs()}
    pages["plain search"] = [search(grid(units=[8, 16]), draws.uniform(size=(2, 3)))]
    for name, things in pages.items():
        shown(driver, tmp_path, *things)
        assert browser.overflow(driver) <= 0
        assert not browser.complaints(driver)
        assert driver.title != "taken"
        for words in ("h2", ".hb-faint"):
            ink, ground = browser.luminances(driver, words)
            assert browser.contrast(ink, ground) >= 4.5
            assert (ink > ground) == (scheme == "dark")
        browser.picture(driver, f"report-{name}-{width}-{scheme}.png")


def test_curves_and_pictures_appear(driver, tmp_path):
    model, history, data = pictures()
    browser.resize(driver, 1400)
    shown(driver, tmp_path, model, history, data)
    drawn = driver.execute_script(
        "return [...document.querySelectorAll('#curves polyline')]"
        ".map((x) => x.getBoundingClientRect().width)"
    )
    assert len(drawn) == 2 and min(drawn) > 100
    widths = driver.execute_script(
        "return [...document.querySelectorAll('figure img')].map((x) => x.naturalWidth)"
    )
    assert widths and set(widths) == {8}
    cells = driver.find_elements("css selector", "#confusion rect.hb-cell")
    assert len(cells) == 4


@pytest.mark.slow
def test_the_time_of_layers_and_every_output_appear(driver, tmp_path):
    with backends.scope("torch"):
        model, history, data = outputs()
        browser.resize(driver, 400)
        shown(driver, tmp_path, model, history, data)
    heads = [x.text for x in driver.find_elements("css selector", "h2")]
    for title in ("Confusion: kind", "Predictions: price", "Labels: tags"):
        assert title in heads
    rows = driver.find_elements("css selector", "#time-by-layer tbody tr")
    assert len(rows) == 5
    assert browser.overflow(driver) <= 0 and not browser.complaints(driver)
    assert driver.title != "taken"
    browser.picture(driver, "report-outputs-timed.png")
