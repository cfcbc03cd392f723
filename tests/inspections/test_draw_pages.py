import json
import re

import pytest
from django.urls import reverse

from inspections.draws.publication import verify
from inspections.draws.rules import SamplingRule, everything, percent
from inspections.enums import DrawState, InspectionKind, InspectionState, StratifyBy
from inspections.models import Draw, JointInspection
from inspections.services import contributions
from inspections.services.draw import draw, replace
from tests.factories.departments import make_department
from tests.factories.inspections import clerk_of, head_of, make_inspection
from tests.factories.institutions import make_institution
from tests.factories.scenarios import make_version
from tests.inspections.test_launch_pages import filled, messages_of

pytestmark = pytest.mark.django_db

DETAIL_QUERIES, SECRETS_QUERIES, LIST_QUERIES = 5, 12, 2
BY_CREDIT = SamplingRule(percent(20), StratifyBy.CREDIT_CLASS, {"D": everything()})


@pytest.fixture
def minzheng():
    return make_department("minzheng")


@pytest.fixture
def xiaofang():
    return make_department("xiaofang")


def closed(homes=4, **fields) -> JointInspection:
    return make_inspection(
        InspectionState.TICKING_CLOSED,
        institutions=[make_institution(credit_class="A") for _ in range(homes)],
        ticked=True,
        **fields,
    )


def drawn(**fields) -> Draw:
    inspection = closed(**fields)
    return draw(inspection, actor=clerk_of(inspection.lead_department))


def collecting() -> Draw:
    inspection = closed()
    return contributions.open_contributions(inspection, actor=clerk_of(inspection.lead_department))


def committed(department, frozen, secret="x" * 32) -> str:
    contributions.commit(
        frozen,
        department,
        commitment=contributions.commitment_of(frozen, department, secret),
        actor=clerk_of(department),
    )
    return secret


def url(name, *args):
    return reverse(f"inspections:{name}", args=args)


# --- The joint inspection's page ------------------------------------------------------------------


def test_before_the_draw_the_page_says_what_each_stratum_gives(client_as, minzheng):
    inspection = closed(homes=6, sampling=BY_CREDIT)
    page = client_as(clerk_of(minzheng)).get(url("detail", inspection.pk))
    assert "可以抽取的机构有 6 家，按规则抽取 2 家：按信用等级分层：D（失信）全部抽取" in page.text
    assert "2/6" in page.text


def test_drawing_says_how_many(client_as, minzheng):
    inspection = closed()
    page = client_as(clerk_of(minzheng)).post(url("draw", inspection.pk), follow=True)
    assert messages_of(page) == ["已从 4 家机构中抽取 4 家。"]
    assert url("draw_detail", inspection.draws.get().pk) in page.text


def test_a_refused_draw_says_why(client_as, minzheng):
    made = drawn()
    page = client_as(clerk_of(minzheng)).post(url("draw", made.joint_inspection_id), follow=True)
    assert messages_of(page) == ["机构已经抽取；确需重新抽取的，由负责人说明理由批准。"]


def test_a_redraw_is_the_heads_to_approve_and_the_old_one_is_shown(client_as, minzheng):
    made = drawn()
    page = client_as(clerk_of(minzheng)).get(url("detail", made.joint_inspection_id))
    assert url("draw_replace", made.pk) not in page.text
    client = client_as(head_of(minzheng))
    assert url("draw_replace", made.pk) in client.get(url("detail", made.joint_inspection_id)).text
    page = client.post(url("draw_replace", made.pk), {"reason": "名单漏列两家"}, follow=True)
    assert messages_of(page) == ["已批准重新抽取，原结果保留备查。"]
    assert "名单漏列两家" in page.text
    assert "第 1 次抽取" in page.text


def test_a_redraw_without_a_reason_says_so(client_as, minzheng):
    made = drawn()
    page = client_as(head_of(minzheng)).post(url("draw_replace", made.pk), follow=True)
    assert messages_of(page) == ["请填写重新抽取的理由。"]


# --- Secrets --------------------------------------------------------------------------------------


@pytest.mark.parametrize("commits", [1, 3])
def test_the_secrets_page_costs_the_same_for_one_and_three(
    client_as, minzheng, django_assert_num_queries, commits
):
    frozen = collecting()
    for department in list(contributions.contributors(frozen))[:commits]:
        committed(department, frozen)
    client = client_as(clerk_of(minzheng))
    client.get(url("draw_secrets", frozen.pk))
    with django_assert_num_queries(SECRETS_QUERIES):
        assert client.get(url("draw_secrets", frozen.pk)).status_code == 200


def test_opening_leads_to_the_secrets(client_as, minzheng):
    inspection = closed()
    page = client_as(clerk_of(minzheng)).post(url("draw_open", inspection.pk), follow=True)
    assert messages_of(page) == ["名单已固定（4 家），各部门已收到通知。"]
    assert page.resolver_match.view_name == "inspections:draw_secrets"
    assert "提交承诺" in page.text


def test_a_secret_made_by_the_portal_is_shown_once_and_kept_nowhere(client_as, xiaofang):
    frozen = collecting()
    client = client_as(clerk_of(xiaofang))
    page = client.post(url("draw_commit", frozen.pk), {"department": xiaofang.pk, "commitment": ""})
    secret = re.search(r"data-shown-once>([0-9a-f]{64})</code>", page.text)[1]
    assert "no-store" in page["Cache-Control"]
    given = frozen.contributions.get()
    assert (given.commitment, given.secret) == (
        contributions.commitment_of(frozen, xiaofang, secret),
        "",
    )
    assert secret not in client.get(url("draw_secrets", frozen.pk)).text


def test_a_commitment_made_in_the_browser_is_taken_as_it_is(client_as, xiaofang):
    frozen = collecting()
    made = contributions.commitment_of(frozen, xiaofang, "x" * 32)
    page = client_as(clerk_of(xiaofang)).post(
        url("draw_commit", frozen.pk), {"department": xiaofang.pk, "commitment": made}, follow=True
    )
    assert messages_of(page) == ["已提交承诺，请妥善保存秘密数，征集截止后凭它公开。"]
    assert frozen.contributions.get().commitment == made


def test_a_bad_commitment_is_refused_on_the_page(client_as, xiaofang):
    frozen = collecting()
    page = client_as(clerk_of(xiaofang)).post(
        url("draw_commit", frozen.pk), {"department": xiaofang.pk, "commitment": "abc"}
    )
    assert page.status_code == 422
    assert "承诺应为 64 位十六进制数" in page.text


def test_closing_asks_for_the_secrets(client_as, minzheng, xiaofang):
    frozen = collecting()
    committed(xiaofang, frozen)
    page = client_as(clerk_of(minzheng)).post(url("draw_close", frozen.pk), follow=True)
    assert messages_of(page) == ["已停止征集，请各部门公开秘密数。"]


def test_closing_without_commitments_says_what_happened(client_as, minzheng):
    page = client_as(clerk_of(minzheng)).post(url("draw_close", collecting().pk), follow=True)
    assert messages_of(page) == ["没有部门提交承诺，已按门户的秘密数抽取。"]


def test_the_last_secret_shows_the_result(client_as, minzheng, xiaofang):
    frozen = collecting()
    secret = committed(xiaofang, frozen)
    contributions.close_commitments(frozen, actor=clerk_of(minzheng))
    client = client_as(clerk_of(xiaofang))
    wrong = client.post(url("draw_reveal", frozen.pk), {"department": xiaofang.pk, "secret": "y" * 32})
    assert wrong.status_code == 422
    assert "与贵部门提交的承诺不符" in wrong.text
    page = client.post(
        url("draw_reveal", frozen.pk), {"department": xiaofang.pk, "secret": f" {secret} "}, follow=True
    )
    assert messages_of(page) == ["各部门均已公开，抽取了 4 家机构。"]
    frozen.refresh_from_db()
    assert frozen.state == DrawState.DRAWN


def test_an_empty_secret_is_refused_in_words(client_as, minzheng, xiaofang):
    frozen = collecting()
    committed(xiaofang, frozen)
    contributions.close_commitments(frozen, actor=clerk_of(minzheng))
    page = client_as(clerk_of(xiaofang)).post(url("draw_reveal", frozen.pk), {"department": xiaofang.pk})
    assert page.status_code == 422
    assert "请填写提交承诺时保存的秘密数。" in page.text


# --- What anybody may read ------------------------------------------------------------------------


@pytest.mark.parametrize("homes", [1, 3])
def test_the_public_page_costs_the_same_for_one_and_three(client, django_assert_num_queries, homes):
    made = drawn(homes=homes)
    with django_assert_num_queries(DETAIL_QUERIES):
        assert client.get(url("draw_detail", made.pk)).status_code == 200


@pytest.mark.parametrize("count", [1, 3])
def test_the_public_list_costs_the_same_for_one_and_three(client, django_assert_num_queries, count):
    version = make_version()
    for _ in range(count):
        drawn(version=version, homes=1)
    with django_assert_num_queries(LIST_QUERIES):
        assert client.get(url("draw_list")).status_code == 200


def test_a_stranger_reads_what_was_drawn_from_how_many_and_how(client):
    made = drawn(homes=5, sampling=SamplingRule(percent(40)))
    page = client.get(url("draw_detail", made.pk))
    assert "5 家中抽取 2 家" in page.text
    assert "抽取 40%，不足一家的按一家计。" in page.text
    assert {row.institution_id for row in page.context["listing"]} == set(
        made.drawn.values_list("institution", flat=True)
    )
    for digest in (made.roster_digest, made.rule_digest, made.seed, made.portal_secret):
        assert digest in page.text


def test_whoever_withheld_is_named_to_everybody(client, minzheng, xiaofang):
    frozen = collecting()
    committed(xiaofang, frozen)
    contributions.close_commitments(frozen, actor=clerk_of(minzheng))
    frozen.refresh_from_db()
    contributions.advance_due(frozen.reveal_by)
    page = client.get(url("draw_detail", frozen.pk))
    assert "市消防救援大队提交承诺后逾期未公开秘密数。" in page.text
    assert "没有抽取结果" in page.text


def test_old_and_new_draw_lead_to_each_other(client, minzheng):
    old = drawn()
    replace(old, reason="名单漏列两家", actor=head_of(minzheng))
    new = draw(old.joint_inspection, actor=clerk_of(minzheng))
    page = client.get(url("draw_detail", new.pk))
    assert url("draw_detail", old.pk) in page.text
    assert "名单漏列两家" in page.text
    assert url("draw_detail", new.pk) in client.get(url("draw_detail", old.pk)).text


def test_what_must_not_be_announced_is_hidden_until_it_is_over(client):
    made = drawn(kind=InspectionKind.CASE)
    assert client.get(url("draw_result", made.pk)).status_code == 404
    assert "还没有抽取" in client.get(url("draw_list")).text
    JointInspection.objects.update(state=InspectionState.COMPLETED)
    assert client.get(url("draw_result", made.pk)).status_code == 200


def test_the_download_verifies(client):
    made = drawn(homes=6, sampling=BY_CREDIT)
    response = client.get(url("draw_result", made.pk))
    assert "attachment" in response["Content-Disposition"]
    published = json.loads(response.content)
    assert all(check.agrees for check in verify(published))
    assert len(published["drawn"]) == 2


def test_the_verifier_is_a_file_to_keep_not_a_page(client):
    response = client.get(url("draw_verifier"))
    assert response["Content-Disposition"].startswith("attachment")
    content = b"".join(response.streaming_content).decode()
    assert "核验通过" in content
    assert "http" not in content


# --- The rule on the form -------------------------------------------------------------------------


def launch(client, minzheng, **changes):
    return client.post(url("launch"), filled(minzheng, make_version(), **changes))


def test_a_rule_with_strata_is_saved_and_shown_again(client_as, minzheng):
    for credit in ["A"] * 12 + ["D"] * 2:
        make_institution(credit_class=credit)
    client = client_as(clerk_of(minzheng))
    launch(
        client,
        minzheng,
        **{
            "sampling-percent": "50",
            "sampling-at_least": "3",
            "sampling-upto": "10",
            "sampling-few": "2",
            "sampling-by": "CREDIT_CLASS",
            "sampling-rate-D": "100",
        },
    )
    inspection = JointInspection.objects.get()
    assert inspection.sampling_rule == {
        "by": "CREDIT_CLASS",
        "otherwise": [{"at_least": 2, "upto": 10}, {"percent": "50", "at_least": 3}],
        "rates": {"D": [{"percent": "100"}]},
    }
    page = client.get(url("edit", inspection.pk))
    fields = page.context["sampling"]
    assert [str(fields[name].value()) for name in ("percent", "at_least", "upto", "few", "by", "rate-D")] == [
        "50",
        "3",
        "10",
        "2",
        "CREDIT_CLASS",
        "100",
    ]
    assert page.context["sample"] == 6 + 2


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"sampling-percent": ""}, "percent", "请填写抽取比例，或至少抽取多少家。"),
        ({"sampling-percent": "0"}, "percent", "应大于 0。"),
        ({"sampling-percent": "100.01"}, "percent", "应不超过 100。"),
        ({"sampling-percent": "1.234"}, "percent", "至多两位小数。"),
        ({"sampling-upto": "10"}, "few", "请填写此时抽取多少家。"),
        ({"sampling-few": "2"}, "upto", "请填写机构不超过多少家。"),
        ({"sampling-at_least": "0"}, "at_least", "应为 1 或更大的整数。"),
        ({"sampling-by": "CREDIT_CLASS", "sampling-rate-D": "101"}, "rate-D", "应不超过 100。"),
    ],
)
def test_a_rule_nobody_can_draw_by_is_refused_at_its_field(client_as, minzheng, changes, field, message):
    make_institution()
    page = launch(client_as(clerk_of(minzheng)), minzheng, **changes)
    assert page.status_code == 422
    assert page.context["sampling"].errors == {field: [message]}
    assert not JointInspection.objects.exists()


def test_the_count_shows_each_stratum_while_the_form_is_filled_in(client_as, minzheng):
    for credit in ["A"] * 6 + ["D"] * 2:
        make_institution(credit_class=credit)
    values = filled(minzheng, make_version(), **{"sampling-percent": "20", "sampling-by": "CREDIT_CLASS"})
    page = client_as(clerk_of(minzheng)).post(url("scope_count"), values)
    assert [(row["name"], row["drawn"]) for row in page.context["strata"]] == [
        ("A（守信）", 2),
        ("D（失信）", 1),
    ]


def test_choosing_strata_offers_a_rate_for_each(client_as, minzheng):
    client = client_as(clerk_of(minzheng))
    page = client.post(url("sampling_strata"), {"sampling-by": "CREDIT_CLASS"})
    assert [bound.label for bound in page.context["sampling"].strata] == [
        "A（守信）",
        "B（较好）",
        "C（一般）",
        "D（失信）",
        "未评级",
    ]
    assert "fieldset" not in client.post(url("sampling_strata"), {"sampling-by": ""}).text
