"""The page in a real browser: headless Chromium, driven as its reader would."""
import base64
import contextlib
import tempfile

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

# A4 without margins of 10 mm, at 96 pixels to the inch.
PRINTED_WIDTH_PX = 718
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]


class Browser:
    def __init__(self, user_data):
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        for flag in [*FLAGS, f"--user-data-dir={user_data}"]:
            options.add_argument(flag)
        self.driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))

    def open(self, page, fragment="", width=1280, scripts=True):
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not scripts})
        self.show(width)
        self.driver.get("about:blank")  # a mere change of fragment would load nothing
        self.driver.get(f"file://{page}{fragment}")

    def show(self, width, media=""):
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media})

    def ask(self, script, *arguments):
        """What the JavaScript expression is worth."""
        return self.driver.execute_script("return " + script, *arguments)

    def wait(self, condition, timeout_s=30):
        """Until the JavaScript expression is true."""
        WebDriverWait(self.driver, timeout_s, poll_frequency=0.05).until(
            lambda _: self.ask(condition))

    def click(self, css, text=None):
        """Clicks the first element that fits, and that has this text if one is given."""
        for element in self.driver.find_elements("css selector", css):
            if text is None or element.text == text:
                self.driver.execute_script(
                    "arguments[0].scrollIntoView({block: 'center'})", element)
                element.click()
                return
        raise AssertionError(f"no {css} with the text {text}")

    def fragment(self):
        return self.ask("location.hash")

    def pdf(self):
        printed = self.driver.execute_cdp_cmd(
            "Page.printToPDF", {"printBackground": True, "paperWidth": 8.27, "paperHeight": 11.69})
        return base64.b64decode(printed["data"])

    def complaints(self):
        return [entry["message"] for entry in self.driver.get_log("browser")]


@contextlib.contextmanager
def chromium():
    with tempfile.TemporaryDirectory() as user_data:
        browser = Browser(user_data)
        try:
            yield browser
        finally:
            browser.driver.quit()
