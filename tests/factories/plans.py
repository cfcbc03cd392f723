"""A year's plan and its rounds."""

from typing import Any

from django.utils import timezone

from inspections.enums import InspectionKind
from inspections.models import Plan, PlanRound
from inspections.services import plans
from tests.factories.departments import make_department
from tests.factories.inspections import clerk_of


def make_plan(year: int | None = None, lead: str = "minzheng") -> Plan:
    """This year's plan of 民政局, the same one each time it is asked for."""
    year, department = year or timezone.localdate().year, make_department(lead)
    existing = Plan.objects.filter(year=year, lead_department=department).first()
    return existing or plans.make_plan(
        year=year, lead_department=department, name=f"{year}年度联合抽查计划", actor=clerk_of(department)
    )


def make_round(plan: Plan | None = None, **fields: Any) -> PlanRound:
    """All institutions at 40% in the whole year; every field can be given."""
    plan = plan or make_plan()
    values = {
        "name": "全年联合抽查",
        "month_from": 1,
        "month_until": 12,
        "kind": InspectionKind.SPECIAL,
        "scope": "全部在营机构",
        "rule": "40%",
    }
    return plans.add_round(plan, actor=clerk_of(plan.lead_department), **(values | fields))
