"""Which officers go: two with valid certificates for each department (处罚法42条；行政检查须两人以上).

What the choice depends on (who may go, who must stay away, which departments and sectors each form
has) is fixed when generating begins and published with the draw; the choice itself follows from it
and the seed (inspections/draws/officers.py), so a job that is taken over sends the same people.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings

from core.errors import DomainError
from departments.models import Department
from inspections.draws.officers import TEAM
from inspections.draws.publication import teams_of
from inspections.models import Draw, DrawRoster, JointInspection, RosterOfficer
from inspections.services.officer_roster import (
    available,
    barred_pairs,
    departments_to_visit,
    enrol,
    listed,
)
from institutions.models import Institution
from scenarios.models import MatrixRow, PublishedItem

# department code → the sectors of its items on one form
Profile = dict[str, list[str]]


class Teams:
    """Who goes where: for each department two officers by position of the draw."""

    def __init__(self) -> None:
        self._officers: dict[int, array] = {}

    def send(self, department: int, size: int, teams: Iterable[tuple[int, list[int]]]) -> None:
        """Keep the department's teams, (position, officers) each; `size` is the number drawn."""
        # Plain numbers: with a whole register drawn there are more than a million of them.
        officers = self._officers[department] = array("q", [0]) * (TEAM * (size + 1))
        for position, team in teams:
            officers[TEAM * position : TEAM * (position + 1)] = array("q", team)

    def departments(self, position: int) -> list[int]:
        """Departments with somebody to send to the institution drawn at this position."""
        return [department for department, officers in self._officers.items() if officers[TEAM * position]]

    def sent(self, position: int, departments: Iterable[int]) -> Iterator[tuple[int, int]]:
        """(department, officer) of these departments."""
        for department in departments:
            for officer in self._officers[department][TEAM * position : TEAM * (position + 1)]:
                yield department, officer


def fix_teams(inspection: JointInspection, draw: Draw) -> None:
    """Fix what the choice of officers depends on.

    Raises DomainError naming the smallest reason for which two officers cannot be sent everywhere: a
    department with too few, a sector with too few, an institution that too many must stay away from.
    """
    departments = departments_to_visit(inspection)
    officers = available(inspection, departments)
    codes = enrol(draw, officers)
    profiles, profile_of = _profiles(inspection, draw)
    apart = {(codes[officer], key) for officer, key in barred_pairs(inspection, officers, draw=draw)}
    going = set(codes.values())
    # Whoever had to stay away when the roster was frozen still has to.
    apart |= {
        (one["officer"], key)
        for one in draw.roster.content.get("officers", [])
        for key in one["barred"]
        if key in profile_of and one["officer"] in going
    }
    teams = {
        "officers": [
            {name: one[name] for name in ("officer", "department", "sectors")}
            for one in listed(officers, codes, ())
        ],
        "barred": [list(pair) for pair in sorted(apart)],
        "profiles": profiles,
        "profile_of": list(profile_of.values()),
    }
    asked = list(Department.objects.filter(pk__in=departments))
    for department in asked:
        if reason := _shortage(department, teams, profile_of):
            raise DomainError(reason)
    visits = [{"key": key, "profile": profile} for key, profile in profile_of.items()]
    # Worked out once, so that the public page need not draw again.
    loads = [_load(department.code, teams | {"visits": visits}, draw.seed) for department in asked]
    teams["loads"] = [load for load in loads if load["visits"]]
    DrawRoster.objects.filter(draw=draw).update(teams=teams)


def teams_for(draw: Draw) -> Teams:
    """Who goes where, by the seed; the same each time it is asked for."""
    teams = expanded(draw)
    who = {one.code: one for one in RosterOfficer.objects.filter(draw=draw)}
    chosen = Teams()
    members = {one["department"]: who[one["officer"]] for one in teams["officers"]}
    for code, member in sorted(members.items()):
        going = iter(teams_of(code, teams, draw.seed))
        chosen.send(
            member.department_id,
            draw.size,
            (
                (position, [who[officer].officer_id for officer in next(going)])
                for position, visit in enumerate(teams["visits"], start=1)
                if code in teams["profiles"][visit["profile"]]
            ),
        )
    return chosen


def expanded(draw: Draw) -> dict[str, Any]:
    """What was fixed, with a visit for each institution drawn, as inspections/draws/publication.py reads it."""
    fixed = dict(DrawRoster.objects.values_list("teams", flat=True).get(draw=draw))
    keys = draw.drawn.order_by("position").values_list("institution__key", flat=True)
    return {
        "officers": fixed["officers"],
        "barred": fixed["barred"],
        "profiles": fixed["profiles"],
        "visits": [
            {"key": str(key), "profile": profile}
            for key, profile in zip(keys, fixed["profile_of"], strict=True)
        ],
    }


def _profiles(inspection: JointInspection, draw: Draw) -> tuple[list[Profile], dict[str, int]]:
    """What forms there will be, and which of them each drawn institution gets, in the order of the draw."""
    items = _ticked_items(inspection)
    profiles: list[Profile] = []
    numbers: dict[tuple, int] = {}
    profile_of = {}
    rows = draw.drawn.order_by("position").values_list(
        "institution__key", "institution__features", "institution__kind"
    )
    for key, features, kind in rows:
        shape = (frozenset(features), kind)
        if shape not in numbers:
            numbers[shape] = len(profiles)
            profiles.append(_profile(items, *shape))
        profile_of[str(key)] = numbers[shape]
    return profiles, profile_of


def _profile(items: list[tuple[PublishedItem, set[str]]], features: frozenset[str], kind: str) -> Profile:
    """The departments of the items that apply, as the merge decides it, and the sectors of those items."""
    wanted: dict[str, set[str]] = {}
    for item, sectors in items:
        applies = features.issuperset(item.required_features)
        if applies and (not item.institution_kinds or kind in item.institution_kinds):
            wanted.setdefault(item.department.code, set()).update(sectors)
    return {department: sorted(sectors) for department, sectors in sorted(wanted.items())}


def _ticked_items(inspection: JointInspection) -> list[tuple[PublishedItem, set[str]]]:
    """Each ticked item with the sectors of the matrix rows that lead to it."""
    ticks = inspection.ticks.filter(ticked=True).select_related("item__department")
    rows = MatrixRow.objects.filter(version__in=inspection.versions.values("pk"), sector__isnull=False)
    sectors: dict[int, set[str]] = {}
    for check_item, name in rows.values_list("check_item", "sector__name"):
        sectors.setdefault(check_item, set()).add(name)
    return [(tick.item, sectors.get(tick.check_item_id, set())) for tick in ticks]


def _shortage(department: Department, teams: dict[str, Any], profile_of: dict[str, int]) -> str:
    """The smallest reason for which two of the department cannot go everywhere; empty when they can."""
    code, name = department.code, department.short_name
    profiles = [profile[code] for profile in teams["profiles"] if code in profile]
    own = [one for one in teams["officers"] if one["department"] == code]
    if profiles and len(own) < TEAM:
        return (
            f"{name}在检查期内执法证有效且在岗的执法人员只有 {len(own)} 名，"
            f"至少需要 {TEAM} 名，请先由该部门补充。"
        )
    # One sector before several together, so that what is named is what is missing.
    alone = [[sector] for sectors in profiles for sector in sectors]
    for sectors in [*sorted(alone), *sorted(profiles)]:
        fit = _fit(own, sectors)
        if len(fit) < TEAM:
            named = "、".join(f"“{sector}”" for sector in sectors)
            return (
                f"{name}在检查期内能检查{named}条线的执法人员只有 {len(fit)} 名，"
                f"至少需要 {TEAM} 名，请先由该部门补充。"
            )
    codes = {one["officer"] for one in own}
    away: dict[str, set[str]] = {}
    for officer, key in teams["barred"]:
        if officer in codes:
            away.setdefault(key, set()).add(officer)
    short = {}
    for key, barred in away.items():
        sectors = teams["profiles"][profile_of[key]].get(code)
        if sectors is not None and (left := len(_fit(own, sectors) - barred)) < TEAM:
            short[key] = left
    if not short:
        return ""
    institution = Institution.objects.filter(key__in=short).order_by("name").first()
    return (
        f"{name}可以派往“{institution.name}”的执法人员只有 {short[str(institution.key)]} 名"
        f"（其余须回避，或已连续检查该机构 {settings.OFFICER_CONSECUTIVE_VISITS} 次），至少需要 {TEAM} 名。"
    )


def _load(department: str, teams: dict[str, Any], seed: str) -> dict[str, Any]:
    """How many officers the department has for how many visits, and the least and most that one of them makes."""
    chosen = teams_of(department, teams, seed)
    sent = Counter(code for team in chosen for code in team)
    own = [one["officer"] for one in teams["officers"] if one["department"] == department]
    shares = [sent[code] for code in own] or [0]
    return {
        "department": department,
        "officers": len(own),
        "visits": len(chosen),
        "least": min(shares),
        "most": max(shares),
    }


def _fit(officers: list[dict[str, Any]], sectors: list[str]) -> set[str]:
    return {one["officer"] for one in officers if not one["sectors"] or set(sectors) <= set(one["sectors"])}
