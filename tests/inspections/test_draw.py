from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied

from core.errors import DomainError
from inspections.draws.selection import select_by_ratio
from inspections.enums import Event, InspectionState
from inspections.services.draw import draw, sample_size
from ledger.services import entries_of
from tests.factories.departments import make_department, make_user
from tests.factories.institutions import make_institution
from tests.factories.merging import make_closed_inspection
from tests.factories.scenarios import make_version


@pytest.mark.parametrize(
    ("roster", "ratio", "size"), [(60, "30", 18), (7, "30", 3), (1, "1", 1), (60, "100", 60), (3, "33.33", 1)]
)
def test_the_size_is_the_ratio_rounded_up(roster, ratio, size):
    assert sample_size(roster, Decimal(ratio)) == size


@pytest.mark.django_db
def test_a_draw_is_kept_with_seed_roster_and_result():
    inspection, clerk = make_closed_inspection(
        make_version(), [make_institution() for _ in range(5)], ratio=50
    )
    made = draw(inspection, actor=clerk)
    keys = {str(key): pk for key, pk in inspection.candidates.values_list("institution__key", "institution")}
    assert (made.roster_size, made.size) == (5, 3)
    assert list(made.drawn.values_list("institution", flat=True)) == [
        keys[key] for key in select_by_ratio(keys, made.ratio, made.seed)
    ]
    entry = entries_of(inspection.subject).get()
    assert (entry.kind, entry.payload["seed"], entry.payload["size"]) == (Event.DRAWN, made.seed, 3)


@pytest.mark.django_db
def test_a_second_draw_is_refused():
    inspection, clerk = make_closed_inspection(make_version(), [make_institution()])
    draw(inspection, actor=clerk)
    with pytest.raises(DomainError, match="不可重抽"):
        draw(inspection, actor=clerk)


@pytest.mark.django_db
def test_a_draw_before_ticking_closed_is_refused():
    inspection, clerk = make_closed_inspection(make_version(), [make_institution()])
    inspection.state = InspectionState.TICKING
    inspection.save()
    with pytest.raises(DomainError, match="勾选截止后"):
        draw(inspection, actor=clerk)


@pytest.mark.django_db
def test_another_department_may_not_draw():
    inspection, _ = make_closed_inspection(make_version(), [make_institution()])
    with pytest.raises(PermissionDenied):
        draw(inspection, actor=make_user(make_department("xiaofang")))
