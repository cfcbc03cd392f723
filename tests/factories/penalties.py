"""Penalty cases, brought as far as a test needs them through the portal's own services."""

from datetime import date
from decimal import Decimal

from django.utils import timezone

from departments.enums import Role
from departments.models import User
from inspections.models import Referral
from inspections.services import referrals
from penalties import services
from penalties.enums import CaseState, Decision
from penalties.models import PenaltyCase
from scenarios.models import Delegation
from tests.factories.departments import make_user
from tests.factories.scenarios import Row, make_version
from tests.factories.tasks import make_referral

FACTS = "2024年5月6日检查发现二楼疏散通道堆放杂物"
FIRE_ROW = Row("消防检查", "xiaofang", "占用疏散通道的处罚", "FIRE")
BASIS = "《中华人民共和国消防法》第六十条第一款第三项"


def handler_of(referral: Referral) -> User:
    """An enforcement officer of the department the referral went to."""
    department = referral.to_department
    existing = User.objects.filter(posts__department=department, posts__role=Role.OFFICER).first()
    return existing or make_user(department, Role.OFFICER, name="庄镇办")


def make_town_referral(**referral_fields) -> Referral:
    """A referral 消防 sent to the town; the form behind it has one item only, which is quicker to fill in."""
    version = referral_fields.pop("version", None) or make_version([FIRE_ROW])
    # A town holds a penalty item once, however many versions name it.
    delegated = not Delegation.objects.filter(penalty_item__rows__version=version).exists()
    values = {"version": version, "row_number": "1", "delegated": delegated}
    return make_referral(**(values | referral_fields))


def make_taken_up(**referral_fields) -> Referral:
    """A referral the town has taken up."""
    referral = make_town_referral(**referral_fields)
    return referrals.take_up(referral, actor=handler_of(referral))


def make_case(
    state: CaseState = CaseState.FILED,
    *,
    decision: Decision = Decision.WARNING_AND_FINE,
    fine: str | None = "500.00",
    legal_review_required: bool = False,
    drafted: bool = True,
    referral: Referral | None = None,
    decided_on: date | None = None,
) -> PenaltyCase:
    """A case of the town in this state; FILED is drafted unless told otherwise, fines are paid when CLOSED."""
    referral = referral or make_taken_up()
    actor = handler_of(referral)
    today = timezone.localdate()
    case = services.file_case(referral, actor=actor)
    if not drafted:
        return case
    amount = Decimal(fine) if fine and decision in (Decision.FINE, Decision.WARNING_AND_FINE) else None
    case = services.draft(
        case,
        facts=FACTS,
        basis=BASIS,
        decision=decision,
        fine_amount=amount,
        legal_review_required=legal_review_required,
        actor=actor,
    )
    if state == CaseState.LEGAL_REVIEW:
        reviewer_of(case)
        return services.request_review(case, actor=actor)
    if state == CaseState.FILED:
        return case
    case = services.decide(case, decided_on=decided_on or today, actor=actor)
    if state == CaseState.DECIDED:
        return case
    case = services.serve(case, served_on=today, actor=actor)
    if state == CaseState.SERVED:
        return case
    if amount:
        services.pay(case, amount=amount, paid_on=today, receipt="P0001", actor=actor)
    return services.close(case, actor=actor)


def reviewer_of(case: PenaltyCase) -> User:
    """A 法制审核 of the case's department who had no hand in it."""
    existing = User.objects.filter(posts__department=case.department, posts__role=Role.LEGAL_REVIEWER).first()
    return existing or make_user(case.department, Role.LEGAL_REVIEWER, name="颜法制")
