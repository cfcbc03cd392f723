"""A department makes its own scenario by hand; what it publishes, a stranger reads."""

import re

from playwright.sync_api import Page, expect


def test_a_department_makes_its_own_list_and_the_public_reads_it(demo_url, visit, axe, tolerate):
    tolerate("422")  # a penalty without a body, on purpose
    page: Page = visit("shichang")
    page.goto(f"{demo_url}/scenarios/new/")
    page.get_by_label("主题").fill("养老机构食堂一件事")
    page.get_by_role("button", name="新建").click()
    expect(page.get_by_text("清单还是空的")).to_be_visible()

    page.get_by_role("link", name="从事项库添加").click()
    page.get_by_label("对餐饮服务经营者日常经营行为的行政检查").click()
    page.get_by_label("一件事情形").fill("对养老机构食堂的监管")
    page.get_by_label("条线").select_option(label="市场监管")
    axe(page)
    page.get_by_role("button", name="编入所选事项").click()

    page.get_by_role("link", name="从施行的清单复制").click()
    page.get_by_label("关键词").fill("消防安全重点单位")
    page.get_by_label("关键词").press("Enter")
    page.locator("input[name=rows]").first.click()
    page.get_by_role("button", name="编入所选行").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    axe(page)

    page.get_by_role("button", name=re.compile("上移.*第 2 行")).focus()
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr").first).to_contain_text("消防安全重点单位")

    page.get_by_role("link", name=re.compile("修改.*第 2 行")).click()
    page.get_by_label("处罚事项").select_option(index=1)
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("请选择处罚实施主体").first).to_be_visible()
    page.get_by_label("处罚实施主体").select_option(label="市市场监管局")
    axe(page)
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("已保存这一行")).to_be_visible()

    page.get_by_role("link", name="核对并发布").click()
    page.get_by_role("button", name="发布").first.click()
    page.locator("dialog[open]").get_by_role("button", name="发布").click()
    expect(page.get_by_text("内容不再更改").first).to_be_visible()

    public = visit()
    public.goto(f"{demo_url}/scenarios/public/")
    public.get_by_role("link", name="养老机构食堂一件事", exact=True).click()
    expect(public.get_by_role("heading", name="晋江市市场监督管理局")).to_be_visible()
    axe(public)


def test_a_contact_is_named_on_a_phone(demo_url, visit, axe):
    page: Page = visit("xiaofang", phone=True)
    page.goto(f"{demo_url}/scenarios/")
    page.get_by_role("link", name="养老服务机构基础安全监管一件事").click()
    page.get_by_role("link", name="参与部门").click()
    axe(page)
    page.get_by_role("link", name="指定联系人").click()
    page.get_by_label("业务科室").fill("防火科")
    axe(page)
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("防火科")).to_be_visible()
