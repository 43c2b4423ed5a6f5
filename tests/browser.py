"""A browser for the tests of pages: headless Chromium, driven by Selenium."""

import contextlib
import json
import os
import shutil

import pytest

CHROMIUM = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")
SIZES = (400, 1400)

needs_browser = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None,
    reason="left out: there is no Chromium with its driver "
    "(`apt-get install chromium chromium-driver`)",
)


@contextlib.contextmanager
def browser():
    """A block with a browser that lists what its console says."""
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for option in (
        "headless=new",
        "no-sandbox",
        "disable-gpu",
        "disable-dev-shm-usage",
    ):
        options.add_argument(f"--{option}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(DRIVER)
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield driver
    finally:
        driver.quit()


def resize(driver, width):
    """Give the page a width in pixels, as a phone has it too."""
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False},
    )


def prefer(driver, scheme):
    """Prefer "dark" or "light"."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def overflow(driver):
    """Return by how many pixels the page is wider than its window."""
    root = "document.scrollingElement"
    return driver.execute_script(f"return {root}.scrollWidth - innerWidth")


def complaints(driver):
    """Return the warnings and errors of the console."""
    entries = driver.get_log("browser")
    return [e["message"] for e in entries if e["level"] in ("SEVERE", "WARNING")]


def luminances(driver, selector):
    """Return those of the text and of the page's background, from 0 to 1."""
    colours = driver.execute_script(
        "const style = getComputedStyle(document.querySelector(arguments[0]));"
        "const ground = getComputedStyle(document.body);"
        "return [style.color, ground.backgroundColor]",
        selector,
    )
    return [_luminance(json.loads(f"[{c[c.index('(') + 1 : -1]}]")) for c in colours]


def _luminance(colour):
    parts = [x / 255 for x in colour[:3]]
    linear = [
        x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """Return the contrast of two luminances, as WCAG 2 defines it."""
    dark, light = sorted((one, other))
    return (light + 0.05) / (dark + 0.05)


def picture(driver, path):
    """Write the whole page as PNG, where HORNBEAM_SCREENSHOTS names a folder."""
    folder = os.environ.get("HORNBEAM_SCREENSHOTS")
    if folder:
        driver.save_screenshot(os.path.join(folder, path))
