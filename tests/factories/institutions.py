from datetime import date
from itertools import count

from departments.enums import Role
from departments.models import Officer, Town, User
from institutions.enums import FilingState, InstitutionKind
from institutions.models import Institution, Recusal
from tests.factories.departments import make_department, make_officer, make_town, make_user

_numbers = count(1)

# Fictional, with right check digits.
USCCS = ["52350582MJB000018H", "52350582MJB000026C", "91350582MA0D00017A", "123505824890000134"]


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
        "temporary_number": None if fields.get("uscc") else f"L350582{number:04d}",
    }
    return Institution.objects.create(**(values | fields))


def make_keeper(**user_fields) -> User:
    """A clerk of 民政局, who keeps the register."""
    return make_user(make_department("minzheng"), Role.HANDLER, **user_fields)


def make_recusal(officer: Officer | None = None, institution: Institution | None = None) -> Recusal:
    return Recusal.objects.create(
        officer=officer or make_officer(make_department("minzheng")),
        institution=institution or make_institution(),
        reason="近亲属在该机构任职",
    )
