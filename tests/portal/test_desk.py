"""The desk: each kind of work reaches the role it waits for, in a constant number of queries."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from departments import services
from departments.enums import Role
from inspections.enums import InspectionState, ParticipationState
from inspections.models import ItemRequest, JointInspection, Participation, Tick
from portal.desk import build
from portal.enums import Work
from tests.factories.departments import make_department, make_officer, make_user
from tests.factories.scenarios import make_version
from tests.factories.tasks import make_running_inspection, make_task, officer_of

pytestmark = pytest.mark.django_db


def kinds(user) -> dict[str, int]:
    return {group.kind: group.total for group in build(user).groups}


def group(user, kind):
    return next(group for group in build(user).groups if group.kind == kind)


def make_inspection(state: InspectionState, version=None, **fields) -> JointInspection:
    early = state in (InspectionState.DRAFT, InspectionState.AWAITING_APPROVAL)
    unapproved = {"approved_by": None, "approved_at": None, "ticking_closed_at": None} if early else {}
    deadline = {"tick_deadline": timezone.now() + timedelta(days=5)}
    return make_running_inspection(version or make_version(), state=state, **(unapproved | deadline | fields))


def test_an_account_without_work_has_an_empty_desk():
    assert build(make_user(make_department())).groups == []
