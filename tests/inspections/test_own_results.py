from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from core.errors import DomainError
from inspections.enums import Outcome, OwnResultState
from inspections.models import OwnResult
from inspections.services.own_results import confirm_result, correct_result, return_result
from ledger.models import Entry
from scenarios.models import CheckItem
from tests.factories.departments import make_department, make_town
from tests.factories.inspections import clerk_of, make_inspection
from tests.factories.institutions import make_institution
from tests.factories.own_results import make_own_result
from tests.factories.papers import make_pdf

pytestmark = pytest.mark.django_db


def refused(**fields) -> dict[str, str]:
    with pytest.raises(DomainError) as refusal:
        make_own_result(**fields)
    return refusal.value.fields


def again(result: OwnResult, **changes) -> OwnResult:
    values = {
        "number": result.number,
        "institution": result.institution,
        "checked_on": result.checked_on,
        "items": result.items.all(),
        "outcome": result.outcome,
        "actor": clerk_of(result.department),
    }
    return correct_result(result, **(values | changes))


def test_a_result_is_filed_with_the_keeper_of_the_register():
    result = make_own_result()
    assert (result.state, result.lead_department.code) == (OwnResultState.AWAITING, "minzheng")


def test_a_result_of_a_joint_inspection_is_filed_with_its_lead():
    shichang = make_department("shichang")
    inspection = make_inspection(lead=shichang)
    assert make_own_result(joint_inspection=inspection).lead_department == shichang


def test_the_lead_cannot_file_with_itself():
    with pytest.raises(DomainError, match="是牵头部门，自己的检查请通过联合检查办理"):
        make_own_result(make_department("minzheng"))


def test_a_number_is_filed_once_a_department():
    make_own_result(number="消监查1号")
    assert refused(number=" 消监查1号 ") == {"number": "检查编号“消监查1号”已经报备过。"}
    assert make_own_result(make_department("shichang"), number="消监查1号").pk


def test_the_database_refuses_the_same_number_too():
    result = make_own_result(number="1")
    other = make_own_result(number="2")
    with pytest.raises(IntegrityError), transaction.atomic():
        OwnResult.objects.filter(pk=other.pk).update(number=result.number)


def test_every_field_at_fault_is_named():
    fields = {
        "number": " ",
        "checked_on": timezone.localdate() + timedelta(days=1),
        "items": [],
        "outcome": Outcome.PROBLEMS,
    }
    assert refused(**fields) == {
        "number": "请填写本部门系统中的检查编号。",
        "checked_on": "检查日期不能晚于今天。",
        "items": "请至少选择一项检查事项。",
        "summary": "发现问题的，请说明情况。",
    }


def test_only_items_of_the_own_department_are_filed():
    foreign = CheckItem.objects.create(department=make_department("shichang"), name="食堂检查")
    assert refused(items=[foreign]) == {"items": "只能选择本部门的检查事项。"}


def test_a_clerk_of_another_department_cannot_file():
    with pytest.raises(PermissionDenied):
        make_own_result(actor=clerk_of(make_department("shichang")))


def test_what_was_filed_stands_on_the_institutions_chain_without_words():
    result = make_own_result(number="消监查7号", summary="疏散通道堵塞", outcome=Outcome.PROBLEMS)
    entry = Entry.objects.get(kind="own_result.filed")
    assert entry.chain.subject == result.institution.subject
    assert entry.payload["own_result"] == result.pk
    assert "消监查7号" not in str(entry.payload)
    assert "疏散通道" not in str(entry.payload)


def test_the_lead_confirms():
    result = make_own_result(state=OwnResultState.CONFIRMED)
    assert (result.state, result.decided_by) == (
        OwnResultState.CONFIRMED,
        clerk_of(make_department("minzheng")),
    )
    assert Entry.objects.filter(kind="own_result.confirmed").count() == 1


def test_the_department_itself_cannot_confirm():
    result = make_own_result()
    with pytest.raises(PermissionDenied):
        confirm_result(result, actor=clerk_of(result.department))


def test_returning_needs_a_reason_and_tells_the_department():
    result = make_own_result()
    lead = clerk_of(make_department("minzheng"))
    with pytest.raises(DomainError, match="请填写退回理由"):
        return_result(result, reason=" ", actor=lead)
    return_result(result, reason="缺附件", actor=lead)
    newest = clerk_of(result.department).notifications.order_by("-pk").first().text
    assert newest == f"“{result.institution.name}”的检查结果（{result.number}）被退回，请更正后再报。"


def test_a_returned_result_is_corrected_and_asked_about_again():
    result = make_own_result(state=OwnResultState.RETURNED, attachment=make_pdf())
    corrected = again(result, number="改后", summary="补充说明")
    assert (corrected.state, corrected.number, corrected.returned_reason, corrected.decided_by) == (
        OwnResultState.AWAITING,
        "改后",
        "",
        None,
    )
    assert corrected.attachment == result.attachment


@pytest.mark.parametrize("state", [OwnResultState.AWAITING, OwnResultState.CONFIRMED])
def test_what_was_not_returned_is_not_corrected(state):
    with pytest.raises(DomainError, match="不能改为“待确认”"):
        again(make_own_result(state=state))


def test_a_confirmed_result_is_not_decided_again():
    result = make_own_result(state=OwnResultState.CONFIRMED)
    with pytest.raises(DomainError, match="该结果已备案"):
        return_result(result, reason="反悔", actor=clerk_of(make_department("minzheng")))


def test_until_it_is_confirmed_only_both_sides_see_it():
    town = make_town("英林镇")
    townhall = clerk_of(make_department("yinglin", town))
    result = make_own_result(institution=make_institution(town))
    seen = [OwnResult.objects.visible_to(user).count() for user in (clerk_of(result.department), townhall)]
    confirm_result(result, actor=clerk_of(make_department("minzheng")))
    assert (seen, OwnResult.objects.visible_to(townhall).count()) == ([1, 0], 1)
