"""A black box: the real `make demo` on data of its own, driven by a real browser.

stack                       the running portal: .url, .var, .manage(*args), .kill(name), .health()
demo_url                    its address, without the slash at the end
manage(*args)               a management command against it; returns its output
visit(username, phone=…)    a page in a browser of its own, signed in when a username is given
sign_in(page, username)     log in at /login/
axe(page)                   fails on serious or critical accessibility violations
tolerate(pattern)           this test provokes a problem whose message matches
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, expect

from portal import processes

BASE = Path(__file__).resolve().parents[2]
RESULTS = BASE / "test-results"
PASSWORD = "demo-Jinjiang-2024"
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
}
READY_SECONDS = 240


@dataclass
class Stack:
    """The portal as `make demo` runs it."""

    var: Path
    port: int
    process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        own = {
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "PORTAL_DEMO": "1",
            "PORTAL_VAR": str(self.var),
            "PORTAL_DURABLE": "0",
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "SWEEP_SECONDS": "1",
        }
        return {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")} | own

    @property
    def log(self) -> Path:
        return RESULTS / "demo.log"

    def start(self, *options: str) -> None:
        RESULTS.mkdir(exist_ok=True)
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "demo", *options],
                cwd=BASE,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        processes.wait_until(lambda: self.process.poll() is not None or self.ready(), READY_SECONDS, 0.3)
        assert self.ready(), f"演示没有就绪：\n{self.log.read_text()}"

    def ready(self) -> bool:
        # The supervisor announces itself last, after /healthz is well.
        return "按 Ctrl-C 停止" in self.log.read_text() and self.health().get("status") == "ok"

    def health(self) -> dict:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=10) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            return json.load(error)
        except OSError:
            return {}

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)

    def manage(self, *args: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *args],
            cwd=BASE,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"manage.py {' '.join(args)}：\n{done.stdout}{done.stderr}"
        return done.stdout

    def pids(self) -> dict[str, int]:
        """`web`, `worker` and `beat`, each the leader of its process group."""
        return {
            name: pid
            for name, (pid, _) in json.loads((self.var / "demo.json").read_text())["children"].items()
        }

    def kill(self, name: str) -> None:
        """SIGKILL one of them with all its children; the supervisor starts it again."""
        processes.signal_group(self.pids()[name], signal.SIGKILL)

    def end_predecessor(self) -> None:
        """A test run that was killed leaves its portal behind, alive and supervised."""
        try:
            told = json.loads((self.var / "demo.json").read_text())
        except (OSError, ValueError):
            return
        if "manage.py demo" in processes.command_line(told["supervisor"]):
            processes.end_process(told["supervisor"], 60)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def stack():
    portal = Stack(BASE / "var" / "browser", free_port())
    portal.end_predecessor()
    portal.start("--reset")
    yield portal
    portal.stop()


@pytest.fixture(scope="session")
def services():
    """The stack brings its own; nothing of the unit tests' is needed here."""


@pytest.fixture(scope="session")
def demo_url(stack) -> str:
    return stack.url


@pytest.fixture
def manage(stack) -> Callable[..., str]:
    return stack.manage


# --- the browser ------------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    return browser_type_launch_args | {
        "executable_path": shutil.which("chromium") or "/usr/bin/chromium",
        "args": ["--headless", "--no-sandbox", "--disable-gpu", *quiet],
    }


@dataclass
class Watch:
    """Everything that went wrong on any page of one test."""

    problems: list[str] = field(default_factory=list)
    tolerated: list[str] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)

    def over(self, page: Page) -> None:
        self.pages.append(page)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"页面错误：{error}"))
        page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        # Leaving a page whose poll is under way, or typing on while a search is, aborts a request on purpose.
        is_abort = message.text.startswith(("htmx:sendAbort", "htmx:afterRequest"))
        if message.type == "error" and not is_abort:
            self.problems.append(f"控制台：{message.text} {message.location.get('url', '')}")

    def _response(self, response: Response) -> None:
        is_asset = response.request.resource_type in {"stylesheet", "script", "image", "font", "manifest"}
        if response.status >= 500 or (is_asset and response.status >= 400):
            self.problems.append(f"{response.status} {response.url}")

    def untolerated(self) -> list[str]:
        return [p for p in self.problems if not any(re.search(pattern, p) for pattern in self.tolerated)]


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if call.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture
def watch():
    seen = Watch()
    yield seen
    problems = seen.untolerated()
    assert not problems, "\n".join(problems)


@pytest.fixture
def tolerate(watch) -> Callable[[str], None]:
    return watch.tolerated.append


@pytest.fixture
def visit(browser: Browser, demo_url, watch, request):
    """`visit("minzheng")`, `visit("minzheng-jc1", phone=True)`, `visit()` for a stranger."""

    def open_page(username: str | None = None, *, phone: bool = False) -> Page:
        shape = PHONE if phone else DESKTOP
        context = browser.new_context(base_url=demo_url, locale="zh-CN", timezone_id="Asia/Shanghai", **shape)
        context.set_default_timeout(15_000)
        context.on("page", watch.over)
        page = context.new_page()
        if username:
            log_in(page, username)
        return page

    yield open_page
    if watch.untolerated() or request.node.stash.get(FAILED, True):
        take_pictures(watch.pages, request.node.name)
    # Pages only: Chromium now and then never answers the closing of a whole context, which has no timeout.
    for page in watch.pages:
        if not page.is_closed():
            page.close()


def take_pictures(pages: list[Page], test: str) -> None:
    name = re.sub(r"[^\w.-]+", "-", test)
    for number, page in enumerate(pages):
        if not page.is_closed():
            page.screenshot(path=RESULTS / f"{name}-{number}.png", full_page=True)


def log_in(page: Page, username: str, password: str = PASSWORD) -> Page:
    page.goto("/login/")
    page.get_by_label("用户名").fill(username)
    page.get_by_label("密码").fill(password)
    page.get_by_role("button", name="登录").click()
    expect(page).not_to_have_url(re.compile("/login/"))
    return page


@pytest.fixture
def sign_in() -> Callable[..., Page]:
    return log_in


@pytest.fixture
def desktop(visit) -> Page:
    """A stranger's page at a desk."""
    return visit()


@pytest.fixture
def phone(visit) -> Page:
    """A stranger's page on a phone."""
    return visit(phone=True)


@pytest.fixture
def axe() -> Callable[[Page], None]:
    def examine(page: Page) -> None:
        found = [v for v in Axe().run(page).response["violations"] if v["impact"] in {"serious", "critical"}]
        told = [f"{v['id']}：{v['help']}\n  " + "\n  ".join(n["html"] for n in v["nodes"][:5]) for v in found]
        assert not found, f"{page.url}\n" + "\n".join(told)

    return examine
