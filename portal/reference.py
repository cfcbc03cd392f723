"""Reference data every installation starts with: 条线, the seven bureaus, the nineteen towns.

Kept in fixtures/ as the office would write it down; another county replaces the two files.
"""

import json
from typing import Any

from django.conf import settings
from django.db import transaction

from departments.models import Department, DepartmentAlias, Sector, Town
from departments.services import create_department

# Bureaus come first in every list, towns after them.
FIRST_TOWN = 100


@transaction.atomic
def load() -> dict[str, int]:
    """Create whatever is missing and return how many of each were; what an administrator changed
    since stays as it is, so that loading again is harmless. Raises DomainError on a name already taken."""
    created = {"sectors": 0, "bureaus": 0, "towns": 0, "aliases": 0}
    papers = read("departments.json")
    for name in papers["sectors"]:
        created["sectors"] += Sector.objects.get_or_create(name=name)[1]
    for order, entry in enumerate(papers["bureaus"], start=1):
        created["bureaus"] += _department(entry, order=order)
        created["aliases"] += _aliases(entry)
    for order, entry in enumerate(read("towns.json"), start=FIRST_TOWN):
        town, _ = Town.objects.get_or_create(code=entry["code"], defaults={"name": entry["name"]})
        created["towns"] += _department(entry["department"], order=order, town=town)
        created["aliases"] += _aliases(entry["department"])
    return created


def read(name: str) -> Any:
    """A file of fixtures/, parsed."""
    return json.loads((settings.BASE_DIR / "fixtures" / name).read_text(encoding="utf-8"))


def _department(entry: dict[str, Any], *, order: int, town: Town | None = None) -> bool:
    if Department.objects.filter(code=entry["code"]).exists():
        return False
    create_department(
        code=entry["code"],
        name=entry["name"],
        short_name=entry["short_name"],
        agency_code=entry["agency_code"],
        duties=entry.get("duties", ""),
        town=town,
        order=order,
    )
    return True


def _aliases(entry: dict[str, Any]) -> int:
    department = Department.objects.get(code=entry["code"])
    known = set(DepartmentAlias.objects.filter(alias__in=entry["aliases"]).values_list("alias", flat=True))
    missing = [alias for alias in entry["aliases"] if alias not in known]
    DepartmentAlias.objects.bulk_create(
        DepartmentAlias(department=department, alias=alias) for alias in missing
    )
    return len(missing)
