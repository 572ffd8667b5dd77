# SPDX-License-Identifier: LGPL-2.1-or-later
"""The page `Memory` as people meet it: headless Chromium, a real cockpit-ws on loopback and its
bridge, on the bus of a World."""
import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
from typing import Iterator, Optional

from waiting import eventually

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from loopback import free_port  # noqa: E402

COCKPIT_WS = next((path for path in ("/usr/lib/cockpit/cockpit-ws", "/usr/libexec/cockpit-ws")
                   if os.path.exists(path)), None)
BRIDGE = shutil.which("cockpit-bridge")
CHROMIUM = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")
PAGE = "cockpit/@localhost/memonline/index.html"

try:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
    from selenium.webdriver.remote.webelement import WebElement
    MISSING = [name for name, found in (("cockpit-ws", COCKPIT_WS), ("cockpit-bridge", BRIDGE),
                                        ("chromium", CHROMIUM), ("chromium-driver", DRIVER)) if not found]
except ImportError:
    MISSING = ["python3-selenium"]


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Page:
    """The page in a browser."""

    def __init__(self, driver: "webdriver.Chrome", url: str) -> None:
        self.driver = driver
        driver.get(url)

    def all(self, selector: str) -> "list[WebElement]":
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> "WebElement":
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        """What people see of it; empty where it is hidden."""
        return str(self.driver.execute_script(
            "const found = document.querySelector(arguments[0]);"
            "return found?.getClientRects().length ? found.innerText : ''", selector))

    def shows(self, selector: str, text: str, seconds: float = 15) -> None:
        """Waits until it shows that text."""
        try:
            eventually(lambda: text in self.text(selector), f"{selector} shows {text!r}", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; it shows {self.text(selector)!r}, and the page {self.text('body')!r};"
                                 f" the browser says {self.complaints()}") from None

    def click(self, selector: str) -> None:
        """Clicks it, once it lets itself be clicked."""
        eventually(lambda: self.one(selector).is_enabled(), f"{selector} is enabled", 15)
        self.one(selector).click()

    def enter_frame(self, selector: str, seconds: float = 15) -> None:
        """From now on all is about what is in that frame, as Cockpit shows its pages."""
        eventually(lambda: self.all(selector), f"there is {selector}", seconds)
        self.driver.switch_to.frame(self.one(selector))

    def write(self, text: str) -> None:
        """Replaces the policy, key by key."""
        area = self.one("#policy-text")
        area.clear()
        area.send_keys(text)

    def complaints(self) -> list[str]:
        """What the browser holds against the page."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] == "SEVERE"]

    def picture(self, name: str, width: int = 1300) -> Optional[pathlib.Path]:
        """Keeps a screenshot of a page so wide in $MEMONLINE_SCREENSHOTS, where that is set."""
        directory = os.environ.get("MEMONLINE_SCREENSHOTS")
        if not directory:
            return None
        self.driver.set_window_size(width, 800)
        height = self.driver.execute_script("return document.documentElement.scrollHeight")
        self.driver.set_window_size(width, max(800, height + 160))  # a window has a frame
        path = pathlib.Path(directory) / f"{name}.png"
        self.driver.save_screenshot(str(path))
        return path


@contextlib.contextmanager
def browser(url: str, *, language: str = "en", dark: bool = False) -> Iterator[Page]:
    """A browser with a profile of its own, on the page."""
    with tempfile.TemporaryDirectory(prefix="memonline-browser-") as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
                     "--window-size=1300,1000", f"--lang={language}", f"--user-data-dir={profile}",
                     *(["--force-dark-mode"] if dark else [])):
            options.add_argument(word)
        options.add_experimental_option("prefs", {"intl.accept_languages": language})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        options.accept_insecure_certs = True  # Cockpit makes itself one that nobody has signed
        driver = webdriver.Chrome(service=Service(DRIVER), options=options)
        try:
            yield Page(driver, url)
        finally:
            driver.quit()


def _in_use(directory: str) -> bool:
    """Whether anything runs for the session of that directory, which is in its environment."""
    for environment in pathlib.Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # gone meanwhile, or somebody else's
            if f"XDG_DATA_HOME={directory}/data".encode() in environment.read_bytes():
                return True
    return False


@contextlib.contextmanager
def session(source: pathlib.Path, *, user: Optional[str] = None, **look: object) -> Iterator[Page]:
    """The page in a session of its own, of `user`: cockpit-ws serves one, and ends with it."""
    with tempfile.TemporaryDirectory(prefix="memonline-cockpit-") as directory, \
            contextlib.ExitStack() as stack:
        os.chmod(directory, 0o755)
        packages = pathlib.Path(directory) / "data/cockpit"
        packages.mkdir(parents=True)
        shutil.copytree(source / "dbus/cockpit", packages / "memonline")
        manifest = packages / "memonline/manifest.json"
        # The service is not installed here.
        manifest.write_text(manifest.read_text().replace(
            "/usr/share/dbus-1/system-services/org.memonline1.service", "/"))
        port = free_port()
        run_as = ["setpriv", "--reuid", user, "--regid", "nogroup", "--clear-groups"] if user else []
        server = subprocess.Popen(
            [*run_as, COCKPIT_WS, "--no-tls", "--address=127.0.0.1", f"--port={port}",
             f"--local-session={BRIDGE}"],
            # Without these addresses the bridge starts a session bus and an ssh-agent, and leaves them behind.
            env={**os.environ, "XDG_DATA_HOME": f"{directory}/data", "HOME": directory,
                 "DBUS_SESSION_BUS_ADDRESS": "disabled:", "SSH_AUTH_SOCK": f"{directory}/no-agent"},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        stack.callback(server.wait)
        stack.callback(server.terminate)
        eventually(lambda: _answers(port), "cockpit-ws listens")
        yield stack.enter_context(browser(f"http://127.0.0.1:{port}/{PAGE}", **look))
        stack.close()
        eventually(lambda: not _in_use(directory), f"all ends that ran in {directory}")
