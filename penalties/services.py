"""From a referral taken up to a closed case.

Every step locks the case, consults CASE_TRANSITIONS, appends to the institution's chain and leaves a
step on the referral, where the department that found the problem reads it. Facts, basis and opinions
are free text, so the ledger holds only their digests.
"""

from datetime import date
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from core.digests import default_algorithm, digest_text
from core.errors import DomainError
from core.money import yuan
from core.numbers import next_number
from departments.enums import Role
from departments.models import Department, User
from departments.services import notify_users
from inspections.enums import ReferralState
from inspections.models import Referral
from inspections.services import referrals
from ledger.services import append
from penalties.enums import CASE_TRANSITIONS, FINING, CaseState, Decision, Event, LegalReview
from penalties.models import WORKDAYS_TO_SERVE, Payment, PenaltyCase
from penalties.permissions import require_handling, require_reviewing


@transaction.atomic
def file_case(
    referral: Referral, *, number: str = "", filed_on: date | None = None, actor: User
) -> PenaltyCase:
    """立案 on a referral that was taken up; without a number the next of the department's series.

    Raises DomainError when it was not taken up, has a case already, or the number is taken.
    """
    referral = (
        Referral.objects.select_for_update(of=("self",))
        .select_related("to_department", "institution")
        .get(pk=referral.pk)
    )
    department = referral.to_department
    require_handling(actor, department)
    if referral.state != ReferralState.TAKEN_UP:
        raise DomainError(f"移送{referral.get_state_display()}，接收后才能立案。")
    if PenaltyCase.objects.filter(referral=referral).exists():
        raise DomainError("该移送已经立案。")
    filed_on = filed_on or timezone.localdate()
    _not_in_future(filed_on, "filed_on", "立案日期")
    taken_up_on = timezone.localdate(referral.taken_up_at) if referral.taken_up_at else filed_on
    if filed_on < taken_up_on:
        raise DomainError("立案日期早于接收移送的日期。", fields={"filed_on": f"应不早于 {taken_up_on}。"})
    number = "".join(number.split()) or _next_case_number(department, filed_on.year)
    if PenaltyCase.objects.filter(department=department, number=number).exists():
        raise DomainError(
            f"案号“{number}”已被使用。", fields={"number": "此案号已被使用，请更换或留空自动编号。"}
        )
    case = PenaltyCase.objects.create(
        referral=referral,
        institution=referral.institution,
        department=department,
        number=number,
        filed_on=filed_on,
        filed_by=actor,
    )
    _record(
        case, Event.FILED, {"number": number, "filed_on": filed_on.isoformat()}, f"案号 {number}。", actor
    )
    return case


@transaction.atomic
def draft(
    case: PenaltyCase,
    *,
    facts: str,
    basis: str,
    decision: str,
    fine_amount: Decimal | None,
    legal_review_required: bool,
    actor: User,
) -> PenaltyCase:
    """拟定: facts, basis and the proposed decision; may be rewritten until it is under review or decided.

    What was reviewed is no longer what stands, so a rewritten draft needs its review again; a case once
    brought to 法制审核 cannot be taken out of it.
    """
    case = _locked(case)
    require_handling(actor, case.department)
    if case.state != CaseState.FILED:
        raise DomainError(f"案件{case.get_state_display()}，不能再修改拟定内容。")
    facts, basis = facts.strip(), basis.strip()
    _check_draft(facts, basis, decision, fine_amount)
    was_reviewed = case.legal_review in (LegalReview.PASSED, LegalReview.REJECTED)
    if was_reviewed and not legal_review_required:
        raise DomainError(
            "本案已提请过法制审核，不能改为无需审核。",
            fields={"legal_review_required": "本案已提请过法制审核，须再次审核。"},
        )
    case.facts, case.basis, case.decision, case.fine_amount = facts, basis, decision, fine_amount
    case.legal_review = LegalReview.REQUIRED if legal_review_required else LegalReview.NOT_REQUIRED
    case.reviewed_by = case.reviewed_on = None
    case.review_opinion = ""
    case.drafted_by = actor
    case.save()
    payload = {
        "facts_digest": digest_text(facts),
        "basis_digest": digest_text(basis),
        "digest_algorithm": default_algorithm(),
        "decision": decision,
        "fine_amount": _amount(fine_amount),
        "legal_review": case.legal_review,
    }
    _record(case, Event.DRAFTED, payload, f"{_outcome(case)}；{case.get_legal_review_display()}。", actor)
    return case


@transaction.atomic
def request_review(case: PenaltyCase, *, actor: User) -> PenaltyCase:
    """提请法制审核; tells the department's reviewers. Raises DomainError when it has none."""
    case = _locked(case)
    require_handling(actor, case.department)
    _require_draft(case)
    if case.legal_review == LegalReview.PASSED:
        raise DomainError("本案法制审核已通过，无需再次提请。")
    if case.legal_review == LegalReview.REJECTED:
        raise DomainError("本案法制审核未通过，请先按审核意见修改拟定内容。")
    _move(case, CaseState.LEGAL_REVIEW, "提请法制审核")
    reviewers = User.objects.filter(
        is_active=True, posts__department=case.department, posts__role=Role.LEGAL_REVIEWER
    ).exclude(pk__in=[case.filed_by_id, case.drafted_by_id])
    if not reviewers.exists():
        raise DomainError(
            f"{case.department.short_name}没有可以审核本案的法制审核人员，请联系部门管理员设置岗位。"
        )
    # Asking for a review is what makes it required, also of a case that could have done without.
    case.legal_review = LegalReview.REQUIRED
    case.save()
    _record(case, Event.REVIEW_REQUESTED, {}, "", actor)
    notify_users(reviewers, f"案件{case.number}提请法制审核。", subject=case.subject)
    return case


@transaction.atomic
def review(case: PenaltyCase, *, passed: bool, opinion: str, actor: User) -> PenaltyCase:
    """法制审核 by a LEGAL_REVIEWER of the department who had no hand in the case (处罚法58条)."""
    case = _locked(case)
    require_reviewing(actor, case)
    if case.state != CaseState.LEGAL_REVIEW:
        raise DomainError(f"案件{case.get_state_display()}，没有提请法制审核。")
    if actor.pk in (case.filed_by_id, case.drafted_by_id):
        raise DomainError("承办人不能审核自己承办的案件，请由其他法制审核人员审核。")
    opinion = opinion.strip()
    if not opinion:
        raise DomainError("请填写审核意见。", fields={"opinion": "请填写审核意见。"})
    _move(case, CaseState.FILED, "审核")
    case.legal_review = LegalReview.PASSED if passed else LegalReview.REJECTED
    case.reviewed_by, case.reviewed_on, case.review_opinion = actor, timezone.localdate(), opinion
    case.save()
    payload = {
        "passed": passed,
        "reviewed_on": case.reviewed_on.isoformat(),
        "opinion_digest": digest_text(opinion),
        "digest_algorithm": default_algorithm(),
    }
    _record(case, Event.REVIEWED, payload, f"{case.get_legal_review_display()}。", actor)
    text = f"案件{case.number}{case.get_legal_review_display()}。"
    notify_users([case.drafted_by], text, subject=case.subject)
    return case


@transaction.atomic
def decide(case: PenaltyCase, *, decided_on: date, actor: User) -> PenaltyCase:
    """作出处罚决定 as drafted. Raises DomainError while a required 法制审核 is not passed (处罚法58条)."""
    case = _locked(case)
    require_handling(actor, case.department)
    _require_draft(case)
    if case.legal_review in (LegalReview.REQUIRED, LegalReview.REJECTED):
        raise DomainError(
            "须经法制审核的案件，未经审核或者审核未通过的，不得作出决定（《行政处罚法》第五十八条）。"
        )
    _move(case, CaseState.DECIDED, "作出决定")
    _not_in_future(decided_on, "decided_on", "决定日期")
    earliest = max(day for day in (case.filed_on, case.reviewed_on) if day)
    if decided_on < earliest:
        what = "立案" if earliest == case.filed_on else "法制审核"
        raise DomainError(f"决定日期早于{what}日期。", fields={"decided_on": f"应不早于 {earliest}。"})
    case.decided_on = decided_on
    case.save()
    payload = {
        "decision": case.decision,
        "fine_amount": _amount(case.fine_amount),
        "legal_review": case.legal_review,
        "decided_on": decided_on.isoformat(),
        "decide_by": case.decide_by.isoformat(),
    }
    _record(case, Event.DECIDED, payload, f"{_outcome(case)}；决定日期 {decided_on}。", actor)
    return case


@transaction.atomic
def serve(case: PenaltyCase, *, served_on: date, actor: User) -> PenaltyCase:
    """送达. Later than seven working days after the decision it is recorded, and said to be late (处罚法61条)."""
    case = _locked(case)
    require_handling(actor, case.department)
    _move(case, CaseState.SERVED, "送达")
    _not_in_future(served_on, "served_on", "送达日期")
    if served_on < case.decided_on:
        raise DomainError("送达日期早于决定日期。", fields={"served_on": f"应不早于 {case.decided_on}。"})
    case.served_on = served_on
    case.save()
    is_late = served_on > case.serve_by
    payload = {"served_on": served_on.isoformat(), "serve_by": case.serve_by.isoformat(), "late": is_late}
    note = f"，超过决定后{WORKDAYS_TO_SERVE}个工作日的期限（{case.serve_by}）" if is_late else ""
    _record(case, Event.SERVED, payload, f"送达日期 {served_on}{note}。", actor)
    return case


@transaction.atomic
def pay(case: PenaltyCase, *, amount: Decimal, paid_on: date, receipt: str, actor: User) -> Payment:
    """缴款: part or all of the fine, never more (元, two decimals)."""
    case = _locked(case)
    require_handling(actor, case.department)
    if not case.is_fining:
        raise DomainError("本案没有罚款，不能登记缴款。")
    if case.state != CaseState.SERVED:
        raise DomainError(f"案件{case.get_state_display()}，送达后、结案前才能登记缴款。")
    receipt = receipt.strip()
    if not receipt:
        raise DomainError("请填写票据号。", fields={"receipt": "请填写票据号。"})
    if amount <= 0 or amount != amount.quantize(Decimal("0.01")):
        raise DomainError("缴款金额应大于 0，至多两位小数。", fields={"amount": "应大于 0，至多两位小数。"})
    if amount > case.unpaid:
        raise DomainError(
            f"缴款金额超过尚未缴纳的罚款 {yuan(case.unpaid)}，未登记。",
            fields={"amount": f"最多 {yuan(case.unpaid)}。"},
        )
    _not_in_future(paid_on, "paid_on", "缴款日期")
    if paid_on < case.decided_on:
        raise DomainError("缴款日期早于决定日期。", fields={"paid_on": f"应不早于 {case.decided_on}。"})
    if case.payments.filter(receipt=receipt).exists():
        raise DomainError(f"票据号“{receipt}”已登记过。", fields={"receipt": "此票据号已登记过。"})
    payment = Payment.objects.create(
        case=case, amount=amount, paid_on=paid_on, receipt=receipt, recorded_by=actor
    )
    rest = case.unpaid
    payload = {
        "payment": payment.pk,
        "amount": _amount(amount),
        "unpaid": _amount(rest),
        "paid_on": paid_on.isoformat(),
        "receipt_digest": digest_text(receipt),
        "digest_algorithm": default_algorithm(),
    }
    left = f"尚欠 {yuan(rest)}" if rest else "罚款已缴清"
    _record(case, Event.PAID, payload, f"缴款 {yuan(amount)}，{left}。", actor)
    return payment


@transaction.atomic
def close(case: PenaltyCase, *, actor: User) -> PenaltyCase:
    """结案 once served and paid in full; closes the referral with it."""
    case = _locked(case)
    require_handling(actor, case.department)
    _move(case, CaseState.CLOSED, "结案")
    if case.unpaid:
        raise DomainError(f"罚款尚有 {yuan(case.unpaid)}未缴，缴清后才能结案。")
    case.closed_on = timezone.localdate()
    case.save()
    payload = {"closed_on": case.closed_on.isoformat(), "decision": case.decision}
    _record(case, Event.CLOSED, payload, f"{_outcome(case)}。", actor)
    referrals.close_referral(case.referral, actor=actor)
    return case


def _locked(case: PenaltyCase) -> PenaltyCase:
    return (
        PenaltyCase.objects.select_for_update(of=("self",))
        .select_related("department", "institution", "referral__from_department", "drafted_by")
        .get(pk=case.pk)
    )


def _move(case: PenaltyCase, state: CaseState, verb: str) -> None:
    if state not in CASE_TRANSITIONS[CaseState(case.state)]:
        raise DomainError(f"案件{case.get_state_display()}，不能{verb}。")
    case.state = state


def _record(case: PenaltyCase, event: Event, payload: dict, detail: str, actor: User) -> None:
    """One entry on the institution's chain and one step on the referral."""
    head = {
        "case": case.pk,
        "referral": case.referral_id,
        "finding": str(case.referral.finding_id),
        "state": str(case.state),
    }
    append(case.institution.subject, event, head | payload, actor=actor.key, department=case.department.key)
    referrals.record_step(case.referral, kind=event, label=event.label, detail=detail, actor=actor)


def _require_draft(case: PenaltyCase) -> None:
    if not case.is_drafted:
        raise DomainError("请先填写违法事实、处罚依据和拟作出的决定。")


def _check_draft(facts: str, basis: str, decision: str, fine_amount: Decimal | None) -> None:
    fields = {}
    if not facts:
        fields["facts"] = "请填写违法事实。"
    if not basis:
        fields["basis"] = "请填写处罚依据。"
    if decision not in Decision.values:
        fields["decision"] = "请选择处罚决定。"
    if decision in FINING and (fine_amount is None or fine_amount <= 0):
        fields["fine_amount"] = "罚款须填写大于 0 的金额。"
    if decision not in FINING and fine_amount is not None:
        fields["fine_amount"] = "此决定没有罚款，请清空金额。"
    if fields:
        raise DomainError("拟定内容不完整，未保存。", fields=fields)


def _not_in_future(day: date, field: str, label: str) -> None:
    if day > timezone.localdate():
        raise DomainError(f"{label}不能晚于今天。", fields={field: "不能晚于今天。"})


def _next_case_number(department: Department, year: int) -> str:
    """晋英林政罚案〔2026〕1号; skips numbers that were typed by hand."""
    agency = department.agency_code or department.short_name
    while True:
        count = next_number(issuer=department.key, kind="penalty_case", year=year)
        number = f"{agency}罚案〔{year}〕{count}号"
        if not PenaltyCase.objects.filter(department=department, number=number).exists():
            return number


def _amount(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:.2f}"


def _outcome(case: PenaltyCase) -> str:
    """警告并处罚款 500 元"""
    label = case.get_decision_display()
    return f"{label} {yuan(case.fine_amount)}" if case.fine_amount else label
