"""The doors of the house: the address answers, the login opens, a wrong password does not."""

import re

from playwright.sync_api import expect


def test_a_stranger_is_led_to_the_login(visit, axe):
    page = visit()
    page.goto("/")
    expect(page).to_have_url(re.compile("/login/"))
    axe(page)


def test_minzheng_comes_in_at_a_desk(visit, axe):
    page = visit("minzheng")
    expect(page.get_by_role("main")).to_be_visible()
    axe(page)


def test_an_inspector_comes_in_on_a_phone(visit, axe):
    page = visit("minzheng-jc1", phone=True)
    expect(page.get_by_role("main")).to_be_visible()
    axe(page)


def test_everything_is_well(stack):
    assert stack.health() == {"status": "ok", "database": "ok", "broker": "ok", "worker": "ok"}
