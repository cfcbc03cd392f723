"""A form is sent once, unless its answer is a file; app.js alone, without the portal."""

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.browser.conftest import BASE

PAGE = """<!doctype html><script type="module" src="/app.js"></script>
<form method="post" action="/save"><button>保存</button></form>
<button data-dialog="ask">导出…</button>
<dialog id="ask"><form method="post" action="/file" data-download><button>导出</button></form></dialog>"""


class Origin:
    """Answers every address, and keeps what was posted."""

    def __init__(self) -> None:
        self.posted: list[str] = []

    def __call__(self, route: Route) -> None:
        path = route.request.url.removeprefix("http://portal.test")
        if route.request.method == "POST":
            self.posted.append(path)
        if path == "/app.js":
            route.fulfill(path=BASE / "static/js/app.js", content_type="text/javascript")
        elif path == "/file":
            route.fulfill(body="时间\n", headers={"Content-Disposition": "attachment; filename=trail.csv"})
        elif path == "/save":
            route.fulfill(status=204)
        else:
            route.fulfill(body=PAGE, content_type="text/html; charset=utf-8")


@pytest.fixture
def origin() -> Origin:
    return Origin()


@pytest.fixture
def page(browser: Browser, origin: Origin):
    page = browser.new_page()
    page.route("http://portal.test/**", origin)
    page.goto("http://portal.test/")
    yield page
    page.close()


def test_a_form_answered_by_a_file_is_sent_again(page: Page, origin: Origin):
    for _ in range(2):
        page.get_by_role("button", name="导出…").click()
        with page.expect_download():
            page.get_by_role("button", name="导出", exact=True).click()
        assert page.get_by_role("dialog").count() == 0
    assert origin.posted == ["/file", "/file"]


def test_any_other_form_is_sent_once(page: Page, origin: Origin):
    for _ in range(2):
        page.get_by_role("button", name="保存").click()
    page.goto("http://portal.test/")
    assert origin.posted == ["/save"]
