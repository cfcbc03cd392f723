from datetime import date, timedelta

import pytest

from departments import services
from departments.enums import Absence, Role
from inspections.enums import InspectionState
from inspections.services.assignment import officer_pool
from tests.factories.departments import make_department, make_officer, make_user
from tests.factories.inspections import make_inspection

pytestmark = pytest.mark.django_db


def pool(inspection, department):
    return officer_pool(inspection, [department.pk])[department.pk]


def test_who_leaves_expires_or_is_closed_within_the_window_is_not_sent():
    bureau = make_department("ziran")
    keeper = make_user(bureau, Role.DEPARTMENT_ADMIN)
    inspection = make_inspection(InspectionState.DRAFT)
    window = (inspection.window_until - date.today()).days
    stays = make_officer(bureau, valid_days=window)
    make_officer(bureau, valid_days=window - 1)
    closed, *leaving = (make_officer(bureau) for _ in range(4))
    services.set_active(closed.user, False, actor=keeper)
    for officer, absence in zip(leaving, Absence, strict=True):
        services.go_off_duty(officer, absence, actor=keeper, on=inspection.window_until, reason="调动")
    assert pool(inspection, bureau) == [stays.pk]


def test_who_is_back_before_the_window_is_sent():
    bureau = make_department("ziran")
    keeper = make_user(bureau, Role.DEPARTMENT_ADMIN)
    inspection = make_inspection(InspectionState.DRAFT)
    officer = make_officer(bureau)
    until = inspection.window_from - timedelta(days=1)
    services.go_off_duty(
        officer, Absence.LEAVE, actor=keeper, on=until - timedelta(days=5), until=until, reason="进修"
    )
    assert pool(inspection, bureau) == [officer.pk]
