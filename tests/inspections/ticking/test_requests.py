import pytest
from django.core.exceptions import PermissionDenied

from core.errors import DomainError
from departments.models import Notification
from inspections.enums import Event, RequestState
from inspections.models import ItemRequest
from inspections.services import ticking
from tests.factories.departments import make_department
from tests.factories.inspections import clerk_of
from tests.factories.ticking import last_entry, own_tick, part, put

pytestmark = pytest.mark.django_db


def ask(inspection, of, department) -> ItemRequest:
    return ticking.request_item(
        own_tick(inspection, of), department=department, reason="群众反映", actor=clerk_of(department)
    )


def test_request_tells_the_owner(inspection, shichang, ziran):
    owner = clerk_of(ziran)
    request = ask(inspection, ziran, shichang)
    assert (request.state, last_entry(inspection).kind) == (RequestState.REQUESTED, Event.REQUESTED)
    assert Notification.objects.filter(recipient=owner, text__contains="提请").count() == 1


def test_request_counts_once_the_owner_ticks(inspection, shichang, ziran):
    request = ask(inspection, ziran, shichang)
    put(own_tick(inspection, ziran), clerk_of(ziran))
    request.refresh_from_db()
    assert request.state == RequestState.TICKED


def test_request_is_open_again_when_the_owner_unticks(inspection, shichang, ziran):
    request = ask(inspection, ziran, shichang)
    tick = put(own_tick(inspection, ziran), clerk_of(ziran))
    put(tick, clerk_of(ziran), ticked=False)
    request.refresh_from_db()
    assert request.state == RequestState.REQUESTED


def test_asking_for_ones_own_item_is_refused(inspection, shichang):
    with pytest.raises(DomainError, match="无需提请"):
        ask(inspection, shichang, shichang)


def test_asking_twice_is_refused(inspection, shichang, ziran):
    ask(inspection, ziran, shichang)
    with pytest.raises(DomainError, match="已提请"):
        ask(inspection, ziran, shichang)


def test_asking_for_a_ticked_item_is_refused(inspection, shichang, ziran):
    put(own_tick(inspection, ziran), clerk_of(ziran))
    with pytest.raises(DomainError, match="已由实施部门勾选"):
        ask(inspection, ziran, shichang)


def test_uninvolved_department_may_not_ask(inspection, ziran):
    with pytest.raises(PermissionDenied):
        ask(inspection, ziran, make_department("renshe"))


def test_owner_refuses_a_request_with_an_answer(inspection, shichang, ziran):
    request = ticking.refuse_request(
        ask(inspection, ziran, shichang), answer="本季度已查", actor=clerk_of(ziran)
    )
    assert (request.state, request.answer, last_entry(inspection).kind) == (
        RequestState.REFUSED,
        "本季度已查",
        Event.REQUEST_REFUSED,
    )


def test_refusing_a_request_needs_an_answer(inspection, shichang, ziran):
    with pytest.raises(DomainError):
        ticking.refuse_request(ask(inspection, ziran, shichang), answer=" ", actor=clerk_of(ziran))


def test_only_the_owner_refuses_a_request(inspection, shichang, ziran):
    with pytest.raises(PermissionDenied):
        ticking.refuse_request(ask(inspection, ziran, shichang), answer="不查", actor=clerk_of(shichang))


def test_refused_request_may_be_made_again(inspection, shichang, ziran):
    first = ticking.refuse_request(ask(inspection, ziran, shichang), answer="不查", actor=clerk_of(ziran))
    again = ask(inspection, ziran, shichang)
    assert (again.pk, again.state, again.answer) == (first.pk, RequestState.REQUESTED, "")


def test_declining_answers_what_was_asked_of_the_department(inspection, shichang, ziran):
    request = ask(inspection, ziran, shichang)
    ticking.decline(part(inspection, ziran), reason="人员集训", actor=clerk_of(ziran))
    request.refresh_from_db()
    assert request.state == RequestState.REFUSED
