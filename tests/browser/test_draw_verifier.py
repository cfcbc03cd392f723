"""The downloaded page against the portal's own code: it must find the same, off line, in a browser."""

import copy
import json
import random
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from inspections.draws import publication
from inspections.draws.rules import Band, Rate, SamplingRule, everything, percent
from tests.factories.draws import publish, with_teams

VERIFIER = Path(publication.__file__).with_name("verifier.html")
ROSTERS = 1000
RULE = SamplingRule(percent(30), "CREDIT_CLASS", {"D": everything()})


@pytest.fixture
def page(browser, watch):
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    watch.over(page)
    page.goto(VERIFIER.as_uri())
    yield page
    page.close()


def random_document(dice: random.Random) -> dict:
    strata = dice.sample(["", "A", "B", "C", "D", "安海镇"], dice.randint(1, 4))
    names = "abcdefgh晋江市养老院𠮷🏠-0123456789"
    keys = {"".join(dice.choices(names, k=dice.randint(1, 20))) for _ in range(dice.randint(1, 60))}
    rule = SamplingRule(
        random_rate(dice), "CREDIT_CLASS", {stratum: random_rate(dice) for stratum in strata[:2] if stratum}
    )
    parties = dice.sample(["a", "b", "c", "消防"], dice.randint(0, 4))
    secrets = {party: f"{dice.getrandbits(128):032x}" for party in parties}
    roster = {key: dice.choice(strata) for key in sorted(keys)}
    if dice.random() < 0.5:
        return publish(roster, rule, secrets)
    profiles = [{}, {"a": []}, {"a": ["消防"], "消防": ["食品", "价格"]}]
    document = publish(roster, rule, secrets, random_officers(dice, sorted(keys)))
    return with_teams(document, profiles, {key: dice.randrange(len(profiles)) for key in sorted(keys)})


def random_officers(dice: random.Random, keys: list[str]) -> list[dict]:
    """Two of each department may go anywhere, so that every visit can be made."""
    return [
        {
            "officer": f"{department}-{n}",
            "department": department,
            "sectors": [] if n < 2 else dice.sample(["消防", "食品", "价格"], dice.randint(0, 3)),
            "barred": [] if n < 2 else dice.sample(keys, dice.randint(0, len(keys) // 2)),
        }
        for department in ("a", "消防")
        for n in range(dice.randint(2, 6))
    ]


def random_rate(dice: random.Random) -> Rate:
    ends = sorted(dice.sample(range(1, 40), dice.randint(0, 2)))
    return Rate(
        tuple(
            Band(Decimal(dice.randint(1, 10_000)) / 100, dice.randint(0, 9), upto) for upto in [*ends, None]
        )
    )


def found(page: Page, document: dict) -> None:
    page.get_by_label("选择从公示页面下载的").set_input_files(
        {"name": "抽取结果.json", "mimeType": "application/json", "buffer": json.dumps(document).encode()}
    )


def test_two_implementations_agree_on_a_thousand_random_rosters(page):
    dice = random.Random(20260101)
    documents = [random_document(dice) for _ in range(ROSTERS)]
    # A third of them forged, so that both also refuse the same.
    for document in documents[::3]:
        part = dice.choice(["seed", "drawn", "rule_digest", "roster_digest"])
        document[part] = document[part][::-1] + document[part][:1]
    theirs = page.evaluate("documents => documents.map(verify)", documents)
    ours = [[vars(check) for check in publication.verify(document)] for document in documents]
    assert theirs == ours
    assert sum(all(check["agrees"] for check in checks) for checks in ours) == ROSTERS - len(documents[::3])


def test_a_true_result_is_green_and_says_who_was_drawn(page, axe):
    document = publish({f"key-{n}": "D" if n < 3 else "A" for n in range(12)}, RULE, {"xiaofang": "x" * 32})
    document["words"] |= {
        "strata": {"D": "D（失信）"},
        "institutions": {document["drawn"][0]: "晋江市英林镇怡康养老院"},
        "parties": {"xiaofang": "市消防救援大队"},
    }
    found(page, document)
    expect(page.get_by_role("status")).to_contain_text("核验通过：重新抽取的结果与公布的完全一致。")
    expect(page.get_by_role("cell", name="晋江市英林镇怡康养老院")).to_be_visible()
    expect(page.get_by_role("cell", name="市消防救援大队的秘密数")).to_be_visible()
    axe(page)


def test_a_forged_result_is_red_and_says_what_does_not_agree(page, axe):
    document = publish({f"key-{n}": "" for n in range(12)}, SamplingRule(percent(30)), {})
    forged = copy.deepcopy(document)
    forged["drawn"].reverse()
    found(page, forged)
    expect(page.get_by_role("status")).to_contain_text("核验不通过")
    row = page.get_by_role("row").filter(has_text="抽取结果").first
    expect(row).to_contain_text("✗ 不一致")
    axe(page)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"%PDF-1.7", "不是 JSON 文件"),
        (b"{}", "这不是抽取结果文件"),
        (b'{"format": "joint-inspection-draw/2", "algorithm": "sha256-rank-2"}', "不完整或格式有误"),
    ],
)
def test_what_is_no_result_is_refused_with_a_sentence(page, content, sentence):
    page.get_by_label("选择从公示页面下载的").set_input_files(
        {"name": "文件.json", "mimeType": "application/json", "buffer": content}
    )
    expect(page.get_by_role("status")).to_contain_text(sentence)
