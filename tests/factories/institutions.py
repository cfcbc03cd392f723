from datetime import date
from itertools import count

from departments.models import Town
from institutions.enums import FilingState, InstitutionKind
from institutions.models import Institution
from tests.factories.departments import make_town

_numbers = count(1)


def make_institution(town: Town | None = None, **fields) -> Institution:
    """A private home with 80 beds, filed; every field can be given."""
    number = next(_numbers)
    values = {
        "name": f"第{number}养老院",
        "kind": InstitutionKind.PRIVATE_HOME,
        "town": town or make_town(),
        "address": "中山路1号",
        "beds": 80,
        "filing_state": FilingState.FILED,
        "filed_on": date(2024, 5, 1),
    }
    return Institution.objects.create(**(values | fields))
