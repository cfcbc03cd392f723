"""The administrator's desk: another city's list, a table out of a PDF, a register in a workbook."""

import io
import re
from datetime import date

from openpyxl import Workbook
from playwright.sync_api import Page, expect

from tests.browser.conftest import BASE

CITIES = BASE / "tests/data/other-cities"


def choose_all(page: Page) -> None:
    """Answer every open question: as proposed, else the department is new, else the first choice."""
    for box in page.locator("main select").all():
        if box.input_value():
            continue
        values = [option.get_attribute("value") for option in box.locator("option").all()]
        box.select_option("new" if "new" in values else next(filter(None, values)))
    for group in page.locator("main fieldset").all():
        if group.locator("input[type=radio]").count() and not group.locator("input:checked").count():
            group.locator("input[type=radio]").first.click()


def answer_until_saved(page: Page) -> None:
    for _ in range(4):
        choose_all(page)
        page.get_by_role("button", name="保存为草稿").click()
        if re.search(r"/versions/\d+/", page.url):
            return
    raise AssertionError("it goes on asking")


def test_another_citys_list_becomes_a_published_version_without_knowing_the_code(visit, axe):
    page = visit("admin")
    page.goto("/scenarios/upload/")
    axe(page)
    page.set_input_files("input[type=file]", CITIES / "m04_qingdao_2023.xlsx")
    page.get_by_role("button", name="上传并预览").click()
    # A heading nobody knows leads to what the columns mean.
    expect(page.get_by_role("heading", name="各列的含义")).to_be_visible()
    axe(page)
    page.get_by_role("button", name="按此读取").click()
    expect(page.get_by_role("heading", name="核对导入内容")).to_be_visible()
    axe(page)
    page.get_by_label("牵头部门").select_option("department:minzheng")
    answer_until_saved(page)
    expect(page.get_by_role("main")).to_contain_text("民族宗教部门")
    page.get_by_role("button", name="发布", exact=True).first.click()
    page.get_by_role("dialog").get_by_role("button", name="发布", exact=True).click()
    expect(page.get_by_text("内容不再更改").first).to_be_visible()
    # Read by anybody, without login.
    stranger = visit()
    stranger.goto("/scenarios/public/")
    expect(stranger.get_by_role("main")).to_contain_text("对清真食品生产经营条件的监督检查")
    # It was for trying out: retired again, nobody launches on it.
    page.get_by_role("link", name="停用").click()
    axe(page)
    page.get_by_label("最后一天").fill(date.today().isoformat())
    page.get_by_label("停用原因").fill("试用完毕")
    page.get_by_role("main").get_by_role("button", name="停用").click()
    expect(page.get_by_role("main").get_by_text("已停用").first).to_be_visible()


def test_a_table_out_of_a_pdf_is_saved_after_a_few_confirmations_on_a_phone(visit, axe):
    page = visit("admin", phone=True)
    page.goto("/scenarios/upload/")
    table = (BASE / "tests/data/jinjiang-pasted.txt").read_text(encoding="utf-8")
    page.get_by_role("textbox", name="粘贴表格").fill(table)
    page.get_by_role("button", name="上传并预览").click()
    expect(page.get_by_role("heading", name="核对导入内容")).to_be_visible()
    assert page.locator("main fieldset").count() == 6
    axe(page)
    page.get_by_role("textbox", name="主题").fill("从文件复制的一件事")
    answer_until_saved(page)
    expect(page.get_by_role("main")).to_contain_text("28")
    expect(page.get_by_text("推断").first).to_be_visible()


def test_institutions_come_in_from_a_workbook_with_their_errors_shown(visit, axe):
    book = Workbook()
    book.active.append(["机构名称", "统一社会信用代码", "机构类型", "所属镇街", "地址", "备案状态"])
    book.active.append(["桂林村互助养老点", None, "农村幸福院", "安海镇", "桂林村1号", "无需备案"])
    book.active.append(["错码养老院", "52350582MJB0000180", "民办养老机构", "安海镇", "某路2号", "未备案"])
    data = io.BytesIO()
    book.save(data)
    page = visit("minzheng")
    page.goto("/institutions/import/")
    file = {
        "name": "机构.xlsx",
        "mimeType": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "buffer": data.getvalue(),
    }
    page.set_input_files("input[type=file]", file)
    page.get_by_role("button", name="上传并预览").click()
    expect(page.get_by_role("main")).to_contain_text("校验位", timeout=30_000)
    expect(page.get_by_role("main")).to_contain_text("B3")
    axe(page)
    page.get_by_role("button", name="只导入没有错误的 1 行").click()
    expect(page.get_by_role("link", name="查看机构名录")).to_be_visible(timeout=30_000)
    page.goto("/institutions/?q=桂林村互助养老点")
    expect(page.get_by_role("main")).to_contain_text("临时编号")
    page.goto("/institutions/?q=错码养老院")
    expect(page.get_by_role("main")).to_contain_text("没有符合条件的机构")
