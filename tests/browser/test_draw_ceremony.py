"""A draw in front of witnesses: departments give secrets from their own browsers, anybody checks the result."""

import json
import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, expect

from inspections.draws.publication import verify
from tests.browser.test_draw_verifier import VERIFIER
from tests.browser.test_journeys import confirm, open_from_desk

CHINA = ZoneInfo("Asia/Shanghai")
INSPECTION = "公开抽取的联合抽查"


def launched(lead: Page, head: Page) -> None:
    """A joint inspection whose ticking is closed, drawn by credit class."""
    today = datetime.now(CHINA)
    lead.goto("/inspections/new/")
    lead.get_by_label("名称", exact=True).fill(INSPECTION)
    lead.get_by_label("检查开始日期").fill(f"{today:%Y-%m-%d}")
    lead.get_by_label("检查截止日期").fill(f"{today + timedelta(days=20):%Y-%m-%d}")
    lead.get_by_label("勾选截止时间").fill(f"{today + timedelta(days=1):%Y-%m-%dT%H:%M}")
    lead.get_by_label("抽取比例").fill("20")
    lead.get_by_label("分层").select_option("信用等级")
    lead.locator("#sampling-strata").get_by_label("D（失信）").fill("100")
    expect(lead.locator("#scope-count")).to_contain_text("按规则抽取")
    lead.get_by_role("button", name="保存并提请审批").click()
    # The demo's earlier round visited some of them lately: the lead says why they are visited again.
    lead.get_by_role("link", name="同期检查").click()
    confirm(lead, "照常检查", reason="随机抽查须覆盖全部机构")
    lead.goto("/inspections/")
    lead.get_by_role("main").get_by_role("link", name=INSPECTION).first.click()
    confirm(lead, "提请审批")
    open_from_desk(head, INSPECTION)
    confirm(head, "批准")
    lead.reload()
    confirm(lead, "提前截止")


def test_departments_make_the_seed_and_a_stranger_checks_it(visit, axe, tmp_path):
    lead, head, brigade = visit("minzheng"), visit("minzheng-fzr"), visit("xiaofang", phone=True)
    launched(lead, head)
    axe(lead)
    confirm(lead, "征集秘密数", submit="固定名单并征集")
    secrets = lead.url
    axe(lead)
    lead.get_by_role("button", name="在本机生成").click()
    own = lead.get_by_label("本机生成的秘密数").input_value()
    assert re.fullmatch(r"[0-9a-f]{64}", own)
    expect(lead.get_by_role("button", name="提交承诺")).to_be_disabled()
    lead.get_by_label("我已保存秘密数").check()
    lead.get_by_role("button", name="提交承诺").click()
    expect(lead.get_by_text("已提交承诺，请妥善保存秘密数")).to_be_visible()

    brigade.goto(secrets)
    brigade.get_by_role("button", name="由系统生成").click()
    others = brigade.locator("[data-shown-once]").inner_text()
    axe(brigade)

    lead.reload()
    confirm(lead, "停止征集")
    lead.get_by_label("秘密数", exact=True).fill(own)
    lead.get_by_role("button", name="公开秘密数").click()
    expect(lead.get_by_text("已公开秘密数，等待其他部门。")).to_be_visible()
    open_from_desk(brigade, INSPECTION)
    brigade.get_by_label("秘密数", exact=True).fill(others)
    brigade.get_by_role("button", name="公开秘密数").click()
    expect(brigade.get_by_text("各部门均已公开，抽取了")).to_be_visible()

    stranger = visit()
    stranger.goto("/draws/")
    axe(stranger)
    stranger.get_by_role("link", name=re.compile(INSPECTION)).click()
    expect(stranger.get_by_role("rowheader", name="市消防救援大队").first).to_be_visible()
    axe(stranger)
    with stranger.expect_download() as download:
        stranger.get_by_role("link", name="下载抽取结果").click()
    result = tmp_path / "抽取结果.json"
    download.value.save_as(result)
    with stranger.expect_download() as download:
        stranger.get_by_role("link", name="下载核验页").click()
    page = tmp_path / "核验.html"
    download.value.save_as(page)
    assert page.read_bytes() == VERIFIER.read_bytes()
    stranger.context.set_offline(True)
    stranger.goto(page.as_uri())
    stranger.get_by_label("选择从公示页面下载的").set_input_files(result)
    expect(stranger.get_by_role("status")).to_contain_text("核验通过")
    assert all(check.agrees for check in verify(json.loads(result.read_text())))
