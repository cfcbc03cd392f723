import copy

import pytest

from inspections.draws.publication import Check, DocumentError, digest, verify
from inspections.draws.rules import SamplingRule, everything, percent
from inspections.draws.seeds import PORTAL
from inspections.draws.selection import select_by_ratio
from tests.factories.draws import publish, with_teams

RULE = SamplingRule(percent(30), "CREDIT_CLASS", {"D": everything()})
ROSTER = {f"key-{n}": "D" if n % 5 == 0 else "A" for n in range(20)}


@pytest.fixture
def document():
    return publish(ROSTER, RULE, {"xiaofang": "x" * 32, "minzheng": "m" * 32})


def faults(document) -> list[str]:
    return [check.what for check in verify(document) if not check.agrees]


def test_a_true_document_agrees_in_everything(document):
    assert [check.what for check in verify(document)] == [
        "名单",
        "各层抽取数和概率",
        "名单摘要",
        "规则摘要",
        "xiaofang的秘密数",
        "minzheng的秘密数",
        "@portal的秘密数",
        "门户的秘密数在内",
        "种子",
        "抽取结果",
        "不列入的机构",
    ]
    assert faults(document) == []


@pytest.fixture
def with_officers():
    officers = [
        {"officer": f"{bureau}-{n}", "department": bureau, "sectors": [], "barred": []}
        for bureau in ("minzheng", "xiaofang")
        for n in range(4)
    ]
    officers[0]["barred"] = [f"key-{n}" for n in range(10)]
    officers[1]["sectors"] = ["消防"]
    document = publish(ROSTER, RULE, {}, officers)
    profiles = [{"minzheng": ["登记"], "xiaofang": ["消防"]}, {"xiaofang": []}]
    return with_teams(document, profiles, {key: n % 2 for n, key in enumerate(ROSTER)})


def test_officers_can_be_drawn_again_by_anybody(with_officers):
    assert [check.what for check in verify(with_officers)][-4:] == [
        "检查的机构",
        "回避",
        "minzheng的执法人员",
        "xiaofang的执法人员",
    ]
    assert faults(with_officers) == []


def test_another_officer_than_the_seed_sends_is_noticed(with_officers):
    team = with_officers["teams"]["visits"][0]["officers"]["xiaofang"]
    team[0] = next(code for code in ("xiaofang-0", "xiaofang-1", "xiaofang-2") if code not in team)
    assert faults(with_officers) == ["xiaofang的执法人员"]


def test_a_recusal_forgotten_after_the_freeze_is_noticed(with_officers):
    with_officers["teams"]["barred"].clear()
    assert "回避" in faults(with_officers)


def test_a_visit_without_enough_officers_cannot_be_verified(with_officers):
    with_officers["teams"]["officers"] = with_officers["teams"]["officers"][:5]
    with pytest.raises(DocumentError, match="不完整"):
        verify(with_officers)


def swap_drawn(document):
    left_out = next(key for key in ROSTER if key not in document["drawn"])
    document["drawn"][0] = left_out


def drop_member(document):
    document["roster"]["strata"][0]["members"].pop()


def ease_rule(document):
    document["rule"]["otherwise"] = [{"percent": "40"}]


def change_secret(document):
    document["contributions"][0]["secret"] = "y" * 32


def drop_portal(document):
    document["contributions"] = [c for c in document["contributions"] if c["party"] != PORTAL]


def withhold(document):
    document["contributions"][1]["secret"] = ""


def double_member(document):
    part = document["roster"]["strata"][0]["members"]
    part[0] = part[1]


def draw_excluded(document):
    document["roster"]["excluded"] = [{"key": document["drawn"][0], "reason": "CLOSED"}]


@pytest.mark.parametrize(
    ("forge", "noticed"),
    [
        (swap_drawn, {"抽取结果"}),
        (drop_member, {"名单摘要", "各层抽取数和概率"}),
        (ease_rule, {"规则摘要", "各层抽取数和概率", "抽取结果"}),
        (change_secret, {"xiaofang的秘密数", "种子"}),
        (drop_portal, {"门户的秘密数在内", "种子"}),
        (withhold, {"minzheng的秘密数", "种子"}),
        (double_member, {"名单", "名单摘要"}),
        (draw_excluded, {"名单摘要", "不列入的机构"}),
    ],
)
def test_whatever_is_forged_is_noticed(document, forge, noticed):
    forged = copy.deepcopy(document)
    forge(forged)
    assert noticed <= set(faults(forged))


def test_what_was_published_and_what_comes_out_are_both_told(document):
    document["seed"] = "0" * 64
    told = next(check for check in verify(document) if check.what == "种子")
    assert told.found.endswith("公布的是0000000000000000…")


def test_before_the_draw_digests_can_be_checked_already(document):
    for given in document["contributions"]:
        given["secret"] = ""
    document |= {"seed": "", "drawn": []}
    assert [check.what for check in verify(document)] == ["名单", "各层抽取数和概率", "名单摘要", "规则摘要"]
    assert faults(document) == []


def test_a_draw_by_the_first_algorithm_still_verifies():
    keys = [f"key-{n}" for n in range(7)]
    rule = SamplingRule(percent(30))
    document = {
        **publish(dict.fromkeys(keys, ""), rule, {}),
        "algorithm": "sha256-rank-1",
        "digest_algorithm": "sha256",
        "roster_digest": digest(keys),
        "seed": "5eed",
        "drawn": select_by_ratio(keys, 30, "5eed"),
    }
    assert verify(document)[2:] == [
        Check("名单摘要", True, digest(keys)[:16] + "…"),
        Check("抽取结果", True, "3 项"),
    ]
    document["drawn"].reverse()
    assert faults(document) == ["抽取结果"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "不是抽取结果文件"),
        ({"format": "x"}, "不是抽取结果文件"),
        (
            {"format": "joint-inspection-draw/2", "algorithm": "sha256-rank-9"},
            "不认识抽取算法“sha256-rank-9”",
        ),
        ({"format": "joint-inspection-draw/2", "algorithm": "sha256-rank-2"}, "不完整"),
    ],
)
def test_what_is_no_document_is_refused_with_a_sentence(value, message):
    with pytest.raises(DocumentError, match=message):
        verify(value)


@pytest.mark.parametrize("part", ["rule", "roster", "strata", "contributions", "seed", "drawn", "words"])
def test_a_document_with_a_part_missing_is_refused(document, part):
    del document[part]
    with pytest.raises(DocumentError, match="不完整"):
        verify(document)


@pytest.mark.parametrize("part", ["rule", "roster", "strata", "contributions", "drawn", "words"])
def test_a_part_of_another_shape_never_agrees(document, part):
    document[part] = 7
    try:
        agrees = not faults(document)
    except DocumentError:
        agrees = False
    assert not agrees
