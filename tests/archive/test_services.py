import json
from datetime import date, datetime

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from archive import services
from archive.enums import DisclosureState, Event
from archive.masking import MASK
from archive.models import Disclosure
from core.digests import digest_bytes, digest_json
from core.errors import DomainError
from departments.enums import Role
from inspections.models import Task
from ledger.models import Entry
from ledger.services import verify
from penalties.enums import CaseState, Decision
from penalties.models import PenaltyCase
from tests.factories.archive import (
    clerk_of,
    lead_of,
    make_case_disclosure,
    make_disclosure,
    make_submitted,
)
from tests.factories.departments import make_department, make_town, make_user
from tests.factories.institutions import make_institution
from tests.factories.penalties import FIRE_ROW, handler_of, make_case
from tests.factories.scenarios import make_version
from tests.factories.tasks import make_task

pytestmark = pytest.mark.django_db

PHONE, CONTACT, BOSS = "13905951234", "洪联系", "蔡法人"


def private_institution():
    return make_institution(
        name="晋江市英林镇嘉颐养老院",
        contact_name=CONTACT,
        contact_phone=PHONE,
        legal_representative=BOSS,
        uscc="52350582MJB000018H",
    )


def refused(call, *args, **kwargs) -> str:
    with pytest.raises(DomainError) as caught:
        call(*args, **kwargs)
    return caught.value.message


# --- Publish a visit ---------------------------------------------------------------------------


def test_lead_publishes_a_submitted_visit():
    task = make_submitted()
    clerk = clerk_of(task)
    disclosure = services.publish_task(task, actor=clerk)
    assert (disclosure.state, disclosure.department, disclosure.published_by) == (
        DisclosureState.PUBLISHED,
        lead_of(task),
        clerk,
    )


def test_visit_is_due_twenty_working_days_after_submission():
    task = Task(submitted_at=timezone.make_aware(datetime(2024, 4, 15, 23, 30)))
    assert services.task_due_on(task) == date(2024, 5, 14)


def test_copy_tells_the_result_in_neutral_words():
    task = make_submitted(with_problem=True, institution=private_institution())
    content = services.publish_task(task, actor=clerk_of(task)).content
    inspection = task.origins.get().joint_inspection
    assert content == {
        "kind": "task",
        "institution": "晋江市英林镇嘉颐养老院",
        "uscc": "52350582MJB000018H",
        "town": "英林镇",
        "inspections": [inspection.name],
        "checked_on": timezone.localdate().isoformat(),
        "departments": ["晋江市消防救援大队"],
        "items": [
            {
                "name": "消防检查",
                "department": "市消防救援大队",
                "value": "NON_COMPLIANT",
                "result": "不符合",
            }
        ],
        "findings": [
            {
                "item": "消防检查",
                "department": "市消防救援大队",
                "severity": "一般",
                "disposition": "移送处罚",
            }
        ],
    }


def test_copy_holds_no_phone_no_name_and_no_fact():
    task = make_submitted(with_problem=True, institution=private_institution())
    text = json.dumps(services.publish_task(task, actor=clerk_of(task)).content, ensure_ascii=False)
    people = {sent.officer.user.name for sent in task.officers.select_related("officer__user")}
    hidden = {PHONE, CONTACT, BOSS, "林代表", "二楼疏散通道堆放杂物", *people}
    assert [word for word in hidden if word in text] == []


def test_name_in_the_title_of_the_inspection_is_struck_out():
    task = make_submitted(institution=private_institution())
    inspection = task.origins.get().joint_inspection
    type(inspection).objects.filter(pk=inspection.pk).update(name=f"{CONTACT}投诉检查，电话{PHONE}")
    content = services.publish_task(task, actor=clerk_of(task)).content
    assert content["inspections"] == [f"{MASK}投诉检查，电话{MASK}"]


def test_publishing_is_an_entry_of_the_institution_with_the_digest_of_the_copy():
    disclosure = make_disclosure()
    entry = Entry.objects.get(kind=Event.DISCLOSED)
    assert entry.chain.subject == disclosure.institution.subject
    assert entry.payload["content_digest"] == digest_json(disclosure.content)
    assert entry.payload["task"] == str(disclosure.task_id)
    assert list(verify(disclosure.institution.subject)) == []


def test_visit_is_published_once():
    disclosure = make_disclosure()
    task = disclosure.task
    assert refused(services.publish_task, task, actor=clerk_of(task)) == "此结果已经公示。"


def test_open_visit_cannot_be_published():
    task = make_task(version=make_version([FIRE_ROW]))
    assert refused(services.publish_task, task, actor=clerk_of(task)) == "检查任务待检查，提交后才能公示。"


def test_participating_department_cannot_publish():
    task = make_submitted()
    with pytest.raises(PermissionDenied, match="只有牵头部门的经办、审核或负责人可以公示检查结果。"):
        services.publish_task(task, actor=make_user(make_department("xiaofang"), Role.HANDLER))


def test_inspector_of_the_lead_cannot_publish():
    task = make_submitted()
    with pytest.raises(PermissionDenied):
        services.publish_task(task, actor=make_user(lead_of(task), Role.OFFICER))


def test_failing_ledger_takes_the_publication_back(monkeypatch):
    task = make_submitted()

    def fail(*args, **kwargs):
        raise RuntimeError("ledger")

    monkeypatch.setattr(services, "append", fail)
    with pytest.raises(RuntimeError):
        services.publish_task(task, actor=clerk_of(task))
    assert not Disclosure.objects.exists()


# --- Publish a penalty -------------------------------------------------------------------------


def test_penalty_is_due_seven_working_days_after_the_decision():
    assert services.case_due_on(PenaltyCase(decided_on=date(2024, 4, 26))) == date(2024, 5, 9)


def test_copy_of_a_penalty_holds_the_decision_and_not_the_facts():
    case = make_case(CaseState.DECIDED)
    disclosure = services.publish_case(case, actor=handler_of(case.referral))
    assert disclosure.content == {
        "kind": "case",
        "institution": case.institution.name,
        "uscc": "",
        "town": "英林镇",
        "number": case.number,
        "department": "英林镇人民政府",
        "penalty_item": "占用疏散通道的处罚",
        "basis": "《中华人民共和国消防法》第六十条第一款第三项",
        "decision": "警告并处罚款",
        "fine_amount": "500.00",
        "decided_on": timezone.localdate().isoformat(),
    }


def test_names_and_numbers_in_the_basis_are_struck_out():
    case = make_case(CaseState.DECIDED)
    officer = case.drafted_by.name
    PenaltyCase.objects.filter(pk=case.pk).update(basis=f"消防法第六十条，承办人{officer}，电话{PHONE}")
    disclosure = services.publish_case(case, actor=handler_of(case.referral))
    assert disclosure.content["basis"] == f"消防法第六十条，承办人{MASK}，电话{MASK}"


def test_undecided_case_cannot_be_published():
    case = make_case()
    message = refused(services.publish_case, case, actor=handler_of(case.referral))
    assert message == "案件已立案，作出决定后才能公示。"


def test_decision_not_to_punish_is_not_published():
    case = make_case(CaseState.DECIDED, decision=Decision.NOT_PUNISHED)
    message = refused(services.publish_case, case, actor=handler_of(case.referral))
    assert message == "不予处罚的案件没有处罚决定可以公示。"


def test_inspecting_bureau_cannot_publish_the_towns_penalty():
    case = make_case(CaseState.DECIDED)
    sender = make_user(case.referral.from_department, Role.HANDLER)
    with pytest.raises(PermissionDenied, match="只有英林镇可以公示本案的处罚决定。"):
        services.publish_case(case, actor=sender)


# --- Withdraw ----------------------------------------------------------------------------------


def test_withdrawing_leaves_the_row_with_its_reason_and_an_entry():
    disclosure = make_disclosure()
    clerk = clerk_of(disclosure.task)
    disclosure = services.withdraw(disclosure, reason="检查日期有误", actor=clerk)
    assert (disclosure.state, disclosure.withdrawn_reason, disclosure.withdrawn_by) == (
        DisclosureState.WITHDRAWN,
        "检查日期有误",
        clerk,
    )
    payload = Entry.objects.get(kind=Event.WITHDRAWN).payload
    assert payload["reason_digest"] == digest_bytes("检查日期有误".encode())
    assert "检查日期有误" not in str(payload)


def test_withdrawing_needs_a_reason():
    disclosure = make_disclosure()
    clerk = clerk_of(disclosure.task)
    assert refused(services.withdraw, disclosure, reason=" ", actor=clerk) == "请填写撤回原因。"


def test_reason_with_a_phone_number_is_refused():
    disclosure = make_disclosure()
    message = refused(services.withdraw, disclosure, reason=f"请致电{PHONE}", actor=clerk_of(disclosure.task))
    assert message == "撤回原因会公开，请删去其中的电话或身份证号码。"


def test_withdrawing_twice_is_refused():
    disclosure = make_disclosure()
    clerk = clerk_of(disclosure.task)
    services.withdraw(disclosure, reason="检查日期有误", actor=clerk)
    assert refused(services.withdraw, disclosure, reason="再撤", actor=clerk) == "此条公示已经撤回。"


def test_withdrawn_result_cannot_be_published_again():
    disclosure = make_disclosure()
    clerk = clerk_of(disclosure.task)
    services.withdraw(disclosure, reason="检查日期有误", actor=clerk)
    message = refused(services.publish_task, disclosure.task, actor=clerk)
    assert message == "此结果公示后已撤回，不能再次公示。"


def test_another_department_cannot_withdraw():
    disclosure = make_disclosure()
    with pytest.raises(PermissionDenied, match="只有市民政局可以撤回此条公示。"):
        services.withdraw(disclosure, reason="x", actor=make_user(make_department("xiaofang"), Role.HANDLER))


def test_town_withdraws_its_own_penalty_and_no_other_town_does():
    disclosure = make_case_disclosure()
    elsewhere = make_department("zhen-anhai", make_town("安海镇"))
    with pytest.raises(PermissionDenied):
        services.withdraw(disclosure, reason="决定已撤销", actor=make_user(elsewhere, Role.HANDLER))
    actor = make_user(disclosure.department, Role.OFFICER)
    assert services.withdraw(disclosure, reason="决定已撤销", actor=actor).state == DisclosureState.WITHDRAWN
