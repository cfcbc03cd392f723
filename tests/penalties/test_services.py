from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from core.digests import digest_bytes
from core.errors import DomainError
from departments.enums import Role
from departments.models import Notification
from inspections.enums import FindingState, ReferralState
from inspections.models import ReferralStep
from inspections.services import referrals
from ledger.models import Entry
from ledger.services import verify
from penalties import services
from penalties.enums import CaseState, Decision, Event, LegalReview
from penalties.models import Payment, PenaltyCase
from tests.factories.departments import make_department, make_town, make_user
from tests.factories.penalties import (
    BASIS,
    FACTS,
    handler_of,
    make_case,
    make_taken_up,
    make_town_referral,
    reviewer_of,
)

pytestmark = pytest.mark.django_db

DRAFT = {
    "facts": FACTS,
    "basis": BASIS,
    "decision": Decision.FINE,
    "fine_amount": Decimal("500.00"),
    "legal_review_required": False,
}


def refused(call, *args, **kwargs) -> str:
    with pytest.raises(DomainError) as caught:
        call(*args, **kwargs)
    return caught.value.message


def handler(case: PenaltyCase):
    return handler_of(case.referral)


def last_entry(case: PenaltyCase) -> Entry:
    return Entry.objects.filter(chain__subject=case.institution.subject).order_by("-seq").first()


# --- 立案 --------------------------------------------------------------------------------------


def test_case_without_a_number_gets_the_next_of_its_department_and_year():
    first = make_case(drafted=False)
    second = make_case(drafted=False)
    year = timezone.localdate().year
    assert first.number == f"英林镇罚案〔{year}〕1号"
    assert second.number == f"英林镇罚案〔{year}〕2号"


def test_number_carries_the_agency_code():
    referral = make_taken_up()
    referral.to_department.agency_code = "晋英林"
    referral.to_department.save()
    case = services.file_case(referral, filed_on=timezone.localdate(), actor=handler_of(referral))
    assert case.number == f"晋英林罚案〔{timezone.localdate().year}〕1号"


def test_proposed_number_skips_one_typed_by_hand():
    year = timezone.localdate().year
    referral = make_taken_up()
    services.file_case(referral, number=f"英林镇罚案〔{year}〕1号", actor=handler_of(referral))
    assert make_case(drafted=False).number == f"英林镇罚案〔{year}〕2号"


def test_number_already_used_in_the_department_is_refused():
    taken = make_case(drafted=False)
    referral = make_taken_up()
    message = refused(services.file_case, referral, number=taken.number, actor=handler_of(referral))
    assert message == f"案号“{taken.number}”已被使用。"


def test_referral_not_taken_up_cannot_be_filed():
    referral = make_town_referral()
    assert refused(services.file_case, referral, actor=handler_of(referral)) == "移送待接收，接收后才能立案。"


def test_second_case_on_a_referral_is_refused():
    case = make_case(drafted=False)
    assert refused(services.file_case, case.referral, actor=handler(case)) == "该移送已经立案。"


def test_filing_before_the_referral_was_taken_up_is_refused():
    referral = make_taken_up()
    yesterday = timezone.localdate() - timedelta(days=1)
    message = refused(services.file_case, referral, filed_on=yesterday, actor=handler_of(referral))
    assert message == "立案日期早于接收移送的日期。"


def test_another_department_cannot_file():
    referral = make_taken_up()
    stranger = make_user(make_department("minzheng"), Role.HANDLER)
    with pytest.raises(PermissionDenied, match="只有英林镇的经办、审核、负责人或执法人员可以办理。"):
        services.file_case(referral, actor=stranger)
    assert not PenaltyCase.objects.exists()


def test_legal_reviewer_cannot_file():
    referral = make_taken_up()
    with pytest.raises(PermissionDenied):
        services.file_case(referral, actor=make_user(referral.to_department, Role.LEGAL_REVIEWER))


# --- 拟定 --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"facts": "  "}, {"facts": "请填写违法事实。"}),
        ({"basis": ""}, {"basis": "请填写处罚依据。"}),
        ({"decision": ""}, {"decision": "请选择处罚决定。", "fine_amount": "此决定没有罚款，请清空金额。"}),
        ({"fine_amount": None}, {"fine_amount": "罚款须填写大于 0 的金额。"}),
        ({"decision": Decision.WARNING}, {"fine_amount": "此决定没有罚款，请清空金额。"}),
    ],
)
def test_incomplete_draft_names_the_fields(change, fields):
    case = make_case(drafted=False)
    with pytest.raises(DomainError) as caught:
        services.draft(case, **(DRAFT | change), actor=handler(case))
    assert caught.value.fields == fields


def test_draft_may_be_rewritten_before_the_decision():
    case = make_case()
    case = services.draft(case, **(DRAFT | {"fine_amount": Decimal("800")}), actor=handler(case))
    assert (case.decision, case.fine_amount) == (Decision.FINE, Decimal("800"))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (CaseState.LEGAL_REVIEW, "法制审核中"),
        (CaseState.DECIDED, "已决定"),
        (CaseState.SERVED, "已送达"),
        (CaseState.CLOSED, "已结案"),
    ],
)
def test_draft_cannot_be_rewritten_once_it_left_the_desk(state, words):
    case = make_case(state, legal_review_required=state == CaseState.LEGAL_REVIEW)
    assert refused(services.draft, case, **DRAFT, actor=handler(case)) == f"案件{words}，不能再修改拟定内容。"


# --- 法制审核 ----------------------------------------------------------------------------------


def test_decision_without_the_required_review_is_refused():
    case = make_case(legal_review_required=True)
    assert refused(services.decide, case, decided_on=timezone.localdate(), actor=handler(case)) == (
        "须经法制审核的案件，未经审核或者审核未通过的，不得作出决定（《行政处罚法》第五十八条）。"
    )


def test_decision_after_a_failed_review_is_refused():
    case = make_case(CaseState.LEGAL_REVIEW, legal_review_required=True)
    case = services.review(case, passed=False, opinion="证据不足", actor=reviewer_of(case))
    assert (case.state, case.legal_review) == (CaseState.FILED, LegalReview.REJECTED)
    message = refused(services.decide, case, decided_on=timezone.localdate(), actor=handler(case))
    assert message.startswith("须经法制审核的案件")


def test_database_refuses_a_decision_without_review():
    case = make_case(legal_review_required=True)
    with pytest.raises(IntegrityError, match="penalties_no_decision_without_review"), transaction.atomic():
        PenaltyCase.objects.filter(pk=case.pk).update(
            state=CaseState.DECIDED, decided_on=timezone.localdate()
        )


def test_passed_review_lets_the_handler_decide():
    case = make_case(CaseState.LEGAL_REVIEW, legal_review_required=True)
    reviewer = reviewer_of(case)
    case = services.review(case, passed=True, opinion="同意", actor=reviewer)
    assert (case.state, case.legal_review, case.reviewed_by) == (
        CaseState.FILED,
        LegalReview.PASSED,
        reviewer,
    )
    case = services.decide(case, decided_on=timezone.localdate(), actor=handler(case))
    assert case.state == CaseState.DECIDED


def test_reviewer_who_drafted_the_case_is_refused():
    referral = make_taken_up()
    both = make_user(referral.to_department, Role.OFFICER, Role.LEGAL_REVIEWER)
    case = services.file_case(referral, actor=handler_of(referral))
    case = services.draft(case, **(DRAFT | {"legal_review_required": True}), actor=both)
    make_user(referral.to_department, Role.LEGAL_REVIEWER)
    case = services.request_review(case, actor=handler_of(referral))
    message = refused(services.review, case, passed=True, opinion="同意", actor=both)
    assert message == "承办人不能审核自己承办的案件，请由其他法制审核人员审核。"


def test_database_refuses_a_review_of_ones_own_draft():
    case = make_case()
    with pytest.raises(IntegrityError, match="penalties_nobody_reviews_own_draft"), transaction.atomic():
        PenaltyCase.objects.filter(pk=case.pk).update(reviewed_by=case.drafted_by)


@pytest.mark.parametrize("role", [Role.HANDLER, Role.HEAD, Role.OFFICER])
def test_who_is_no_legal_reviewer_cannot_review(role):
    case = make_case(CaseState.LEGAL_REVIEW, legal_review_required=True)
    with pytest.raises(PermissionDenied, match="只有英林镇的法制审核岗位可以审核。"):
        services.review(case, passed=True, opinion="同意", actor=make_user(case.department, role))


def test_legal_reviewer_of_another_town_cannot_review():
    case = make_case(CaseState.LEGAL_REVIEW, legal_review_required=True)
    elsewhere = make_department("zhen-anhai", make_town("安海镇"))
    with pytest.raises(PermissionDenied):
        services.review(case, passed=True, opinion="同意", actor=make_user(elsewhere, Role.LEGAL_REVIEWER))


def test_review_needs_an_opinion():
    case = make_case(CaseState.LEGAL_REVIEW, legal_review_required=True)
    message = refused(services.review, case, passed=True, opinion=" ", actor=reviewer_of(case))
    assert message == "请填写审核意见。"


def test_review_nobody_asked_for_is_refused():
    case = make_case(legal_review_required=True)
    message = refused(services.review, case, passed=True, opinion="同意", actor=reviewer_of(case))
    assert message == "案件已立案，没有提请法制审核。"


def test_review_is_refused_where_nobody_can_do_it():
    case = make_case(legal_review_required=True)
    message = refused(services.request_review, case, actor=handler(case))
    assert message == "英林镇没有可以审核本案的法制审核人员，请联系部门管理员设置岗位。"


def test_review_cannot_be_asked_for_before_a_draft():
    case = make_case(drafted=False)
    message = refused(services.request_review, case, actor=handler(case))
    assert message == "请先填写违法事实、处罚依据和拟作出的决定。"


def test_rewriting_a_reviewed_draft_needs_the_review_again():
    case = make_case(CaseState.LEGAL_REVIEW, legal_review_required=True)
    case = services.review(case, passed=True, opinion="同意", actor=reviewer_of(case))
    case = services.draft(case, **(DRAFT | {"legal_review_required": True}), actor=handler(case))
    assert (case.legal_review, case.reviewed_by, case.review_opinion) == (LegalReview.REQUIRED, None, "")


def test_failed_review_cannot_be_got_round():
    case = make_case(CaseState.LEGAL_REVIEW, legal_review_required=True)
    case = services.review(case, passed=False, opinion="证据不足", actor=reviewer_of(case))
    assert refused(services.draft, case, **DRAFT, actor=handler(case)) == (
        "本案已提请过法制审核，不能改为无需审核。"
    )


def test_reviewers_are_told_of_a_request_and_the_drafter_of_its_end():
    case = make_case(CaseState.LEGAL_REVIEW, legal_review_required=True)
    reviewer = reviewer_of(case)
    assert Notification.objects.get(recipient=reviewer).text == f"案件{case.number}提请法制审核。"
    services.review(case, passed=False, opinion="证据不足", actor=reviewer)
    told = Notification.objects.filter(recipient=case.drafted_by, subject=case.subject).get()
    assert told.text == f"案件{case.number}法制审核未通过。"


# --- 决定、送达 --------------------------------------------------------------------------------


def test_decision_without_a_draft_is_refused():
    case = make_case(drafted=False)
    message = refused(services.decide, case, decided_on=timezone.localdate(), actor=handler(case))
    assert message == "请先填写违法事实、处罚依据和拟作出的决定。"


@pytest.mark.parametrize(("days", "message"), [(1, "决定日期不能晚于今天。"), (-1, "决定日期早于立案日期。")])
def test_decision_lies_between_filing_and_today(days, message):
    case = make_case()
    day = timezone.localdate() + timedelta(days=days)
    assert refused(services.decide, case, decided_on=day, actor=handler(case)) == message


def test_serving_before_the_decision_is_refused():
    case = make_case(CaseState.DECIDED)
    day = case.decided_on - timedelta(days=1)
    assert refused(services.serve, case, served_on=day, actor=handler(case)) == "送达日期早于决定日期。"


def test_serving_an_undecided_case_is_refused():
    case = make_case()
    message = refused(services.serve, case, served_on=timezone.localdate(), actor=handler(case))
    assert message == "案件已立案，不能送达。"


def test_late_service_is_recorded_and_said_to_be_late():
    case = make_case(CaseState.DECIDED)
    PenaltyCase.objects.filter(pk=case.pk).update(filed_on=date(2024, 4, 1), decided_on=date(2024, 4, 8))
    services.serve(case, served_on=date(2024, 4, 22), actor=handler(case))
    assert last_entry(case).payload["late"] is True
    step = ReferralStep.objects.filter(referral=case.referral).last()
    assert step.detail == "送达日期 2024-04-22，超过决定后7个工作日的期限（2024-04-17）。"


# --- 缴款、结案 --------------------------------------------------------------------------------


def payment(case: PenaltyCase, **changes) -> dict:
    values = {"amount": Decimal("200.00"), "paid_on": timezone.localdate(), "receipt": "P0001"}
    return values | changes | {"actor": handler(case)}


def test_payments_add_up_to_the_fine():
    case = make_case(CaseState.SERVED)
    services.pay(case, **payment(case))
    services.pay(case, **payment(case, amount=Decimal("300.00"), receipt="P0002"))
    case = PenaltyCase.objects.get(pk=case.pk)
    assert (case.paid, case.unpaid) == (Decimal("500.00"), Decimal("0.00"))


def test_payment_over_the_fine_is_refused():
    case = make_case(CaseState.SERVED)
    services.pay(case, **payment(case))
    message = refused(services.pay, case, **payment(case, amount=Decimal("300.01"), receipt="P0002"))
    assert message == "缴款金额超过尚未缴纳的罚款 300 元，未登记。"
    assert Payment.objects.count() == 1


@pytest.mark.parametrize("amount", ["0", "-1", "0.001"])
def test_amount_that_is_no_money_is_refused(amount):
    case = make_case(CaseState.SERVED)
    message = refused(services.pay, case, **payment(case, amount=Decimal(amount)))
    assert message == "缴款金额应大于 0，至多两位小数。"


def test_same_receipt_twice_is_refused():
    case = make_case(CaseState.SERVED)
    services.pay(case, **payment(case))
    assert refused(services.pay, case, **payment(case)) == "票据号“P0001”已登记过。"


def test_payment_before_service_is_refused():
    case = make_case(CaseState.DECIDED)
    assert refused(services.pay, case, **payment(case)) == "案件已决定，送达后、结案前才能登记缴款。"


def test_payment_without_a_fine_is_refused():
    case = make_case(CaseState.SERVED, decision=Decision.WARNING)
    assert refused(services.pay, case, **payment(case)) == "本案没有罚款，不能登记缴款。"


def test_case_with_an_unpaid_fine_cannot_be_closed():
    case = make_case(CaseState.SERVED)
    services.pay(case, **payment(case))
    assert refused(services.close, case, actor=handler(case)) == "罚款尚有 300 元未缴，缴清后才能结案。"
    case.refresh_from_db()
    assert case.state == CaseState.SERVED


@pytest.mark.parametrize("decision", [Decision.WARNING, Decision.NOT_PUNISHED, Decision.WARNING_AND_FINE])
def test_closing_the_case_closes_referral_and_finding(decision):
    case = make_case(CaseState.CLOSED, decision=decision)
    case.referral.refresh_from_db()
    assert case.closed_on == timezone.localdate()
    assert case.referral.state == ReferralState.CLOSED
    assert case.referral.finding.state == FindingState.CLOSED


def test_unserved_case_cannot_be_closed():
    case = make_case(CaseState.DECIDED)
    assert refused(services.close, case, actor=handler(case)) == "案件已决定，不能结案。"


# --- 留痕 --------------------------------------------------------------------------------------


def test_every_step_is_an_entry_of_the_institution_and_a_step_of_the_referral():
    case = make_case(CaseState.LEGAL_REVIEW, legal_review_required=True)
    case = services.review(case, passed=True, opinion="同意", actor=reviewer_of(case))
    case = services.decide(case, decided_on=timezone.localdate(), actor=handler(case))
    case = services.serve(case, served_on=timezone.localdate(), actor=handler(case))
    services.pay(case, **payment(case, amount=Decimal("500.00")))
    services.close(case, actor=handler(case))
    expected = [
        Event.FILED,
        Event.DRAFTED,
        Event.REVIEW_REQUESTED,
        Event.REVIEWED,
        Event.DECIDED,
        Event.SERVED,
        Event.PAID,
        Event.CLOSED,
    ]
    entries = Entry.objects.filter(chain__subject=case.institution.subject, kind__startswith="penalty.")
    steps = ReferralStep.objects.filter(referral=case.referral, kind__startswith="penalty.")
    assert list(entries.order_by("seq").values_list("kind", flat=True)) == expected
    assert list(steps.values_list("kind", flat=True)) == expected
    assert list(verify(case.institution.subject)) == []


def test_entry_of_a_draft_holds_the_digest_of_the_facts_and_the_amount_as_text():
    case = make_case()
    payload = last_entry(case).payload
    assert payload["facts_digest"] == digest_bytes(FACTS.encode())
    assert payload["fine_amount"] == "500.00"
    assert FACTS not in str(payload)


def test_failing_ledger_takes_case_and_step_back(monkeypatch):
    case = make_case()

    def fail(*args, **kwargs):
        raise RuntimeError("ledger")

    monkeypatch.setattr(services, "append", fail)
    steps = ReferralStep.objects.filter(referral=case.referral).count()
    with pytest.raises(RuntimeError):
        services.decide(case, decided_on=timezone.localdate(), actor=handler(case))
    case.refresh_from_db()
    assert case.state == CaseState.FILED
    assert ReferralStep.objects.filter(referral=case.referral).count() == steps


def test_failing_step_takes_the_case_back(monkeypatch):
    case = make_case()

    def fail(*args, **kwargs):
        raise DomainError("移送已办结，不能登记办理情况。")

    monkeypatch.setattr(referrals, "record_step", fail)
    with pytest.raises(DomainError):
        services.decide(case, decided_on=timezone.localdate(), actor=handler(case))
    case.refresh_from_db()
    assert case.state == CaseState.FILED


# --- 期限 --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filed_on", "decide_by"),
    [
        # 90 natural days; 2024-10-01 falls into the holiday, which ends with the 7th.
        (date(2024, 3, 1), date(2024, 5, 30)),
        (date(2024, 7, 3), date(2024, 10, 8)),
    ],
)
def test_decision_is_due_ninety_days_after_filing(filed_on, decide_by):
    assert PenaltyCase(filed_on=filed_on).decide_by == decide_by


def test_service_is_due_seven_working_days_after_the_decision():
    # 2024-04-28 is a working day for the Labour Day holiday from 1 to 5 May.
    assert PenaltyCase(decided_on=date(2024, 4, 26)).serve_by == date(2024, 5, 9)
