"""Seven bureaus tick one board at once, each in a browser of its own; two clerks of one bureau meet in one item."""

import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_journeys import CHINA, confirm, open_from_desk

INSPECTION = "七部门同时勾选的联合检查"
# Nobody else visits it: neither the demo's round nor the journeys.
HOME = "晋江市东石镇乐龄敬老院"
BUREAUS = ["minzheng", "renshe", "ziran", "shengtai", "shichang", "chengguan", "xiaofang"]
ITEMS = 17
# The board asks for changes every three seconds; a loaded machine may take a few rounds.
LIVE_MS = 30_000
# Of one's own items the boxes that are ticked, of the others' the cells.
TICKED = "input[name=ticked]:checked, .cell--ticked"


def launch(visit) -> str:
    """A joint inspection whose ticking is open for an hour; returns its address."""
    lead = visit("minzheng")
    now = datetime.now(CHINA)
    lead.goto("/inspections/new/")
    lead.get_by_label("名称", exact=True).fill(INSPECTION)
    lead.get_by_label("检查开始日期").fill(f"{now:%Y-%m-%d}")
    lead.get_by_label("检查截止日期").fill(f"{now + timedelta(days=20):%Y-%m-%d}")
    lead.get_by_label("勾选截止时间").fill(f"{now + timedelta(hours=1):%Y-%m-%dT%H:%M}")
    lead.get_by_label("只检查手工选择的机构").check()
    picker = lead.get_by_label("查找机构")
    if not picker.is_visible():
        lead.get_by_text("手工选择机构", exact=True).click()
    picker.fill(HOME)
    lead.get_by_role("checkbox", name=re.compile(HOME)).click()
    expect(lead.locator("#scope-count")).to_contain_text("共 1 家机构")
    lead.get_by_role("button", name="保存并提请审批").click()
    expect(lead.get_by_role("heading", name=INSPECTION)).to_be_visible()
    head = visit("minzheng-fzr")
    open_from_desk(head, INSPECTION)
    confirm(head, "批准")
    expect(head.get_by_text("勾选中").first).to_be_visible()
    return lead.url


@pytest.fixture(scope="module")
def board() -> dict[str, str]:
    """Where the board of this module is, once a test has launched it."""
    return {}


def board_of(board, visit) -> str:
    if not board:
        board["url"] = f"{launch(visit)}ticks/"
    return board["url"]


def click_all(page: Page) -> None:
    """Tick every own item, one click each, without waiting for any answer."""
    page.evaluate("document.querySelectorAll('form.item input[name=ticked]').forEach((box) => box.click())")


def test_seven_bureaus_tick_at_once_and_everybody_sees_all(visit, axe, board):
    url = board_of(board, visit)
    pages = {bureau: visit(bureau, phone=bureau == "renshe") for bureau in BUREAUS}
    for page in pages.values():
        page.goto(url)
        expect(page.locator(TICKED)).to_have_count(0)
    for page in pages.values():
        click_all(page)
    for page in pages.values():
        expect(page.locator(TICKED)).to_have_count(ITEMS, timeout=LIVE_MS)
    for page in pages.values():
        page.reload()
        expect(page.locator(TICKED)).to_have_count(ITEMS)
    axe(pages["minzheng"])
    axe(pages["renshe"])
    assert pages["renshe"].evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_two_clerks_of_one_bureau_meet_in_one_item_and_choose(visit, axe, tolerate, board):
    url = board_of(board, visit)
    first, second = visit("shichang"), visit("shichang-fzr")
    for page in (first, second):
        page.goto(url)
    # The second clerk's page has heard of nothing when it writes.
    second.route(re.compile("/ticks/changes/"), lambda route: route.abort())
    tolerate(r"ERR_FAILED|htmx:sendError|409 ")
    note = "form.item input[name=note]"
    first.locator(note).first.fill("先查后厨")
    first.locator(note).first.press("Enter")
    expect(first.locator("form.item").first).to_contain_text("保存")
    second.locator(note).first.fill("只查留样")
    second.locator(note).first.press("Enter")
    choice = second.get_by_role("alert").filter(has_text="此项已被修改")
    expect(choice).to_contain_text("先查后厨")
    expect(choice).to_contain_text("只查留样")
    axe(second)
    choice.get_by_role("button", name="保留对方结果").click()
    expect(second.locator(note).first).to_have_value("先查后厨")

    # Whoever is writing keeps the words while a colleague's arrive, and is asked when saving.
    second.unroute(re.compile("/ticks/changes/"))
    first.locator(note).first.fill("还没写完")
    second.locator(note).first.fill("查后厨和留样")
    second.locator(note).first.press("Enter")
    expect(second.locator("form.item").first).to_contain_text("保存")
    with first.expect_response(lambda response: "/ticks/changes/" in response.url and response.status == 200):
        pass
    expect(first.locator(note).first).to_have_value("还没写完")
    first.locator(note).first.press("Enter")
    choice = first.get_by_role("alert").filter(has_text="此项已被修改")
    choice.get_by_role("button", name="仍改为我填的备注").click()
    expect(second.locator(note).first).to_have_value("还没写完", timeout=LIVE_MS)
