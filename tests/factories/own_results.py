"""自建系统结果, through the same services as the portal."""

from itertools import count

from django.utils import timezone

from departments.models import Department
from inspections.enums import Outcome, OwnResultState
from inspections.models import OwnResult
from inspections.services import own_results
from institutions.models import Institution
from scenarios.models import CheckItem
from tests.factories.departments import make_department
from tests.factories.inspections import clerk_of
from tests.factories.institutions import make_institution

_numbers = count(1)


def make_own_result(
    department: Department | None = None,
    state: OwnResultState = OwnResultState.AWAITING,
    *,
    institution: Institution | None = None,
    **fields,
) -> OwnResult:
    """市消防救援大队 found nothing today and filed it with 民政局; every field can be given."""
    keeper = make_department("minzheng")
    department = department or make_department("xiaofang")
    item, _ = CheckItem.objects.get_or_create(department=department, name="消防监督抽查")
    values = {
        "number": f"消监查{next(_numbers):04d}",
        "institution": institution or make_institution(),
        "checked_on": timezone.localdate(),
        "items": [item],
        "outcome": Outcome.CLEAN,
        "actor": clerk_of(department),
    }
    result = own_results.file_result(department=department, **(values | fields))
    if state == OwnResultState.CONFIRMED:
        return own_results.confirm_result(result, actor=clerk_of(keeper))
    if state == OwnResultState.RETURNED:
        return own_results.return_result(result, reason="请补充附件", actor=clerk_of(keeper))
    return result
