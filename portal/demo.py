"""The demo: the cast (fixtures/cast.json), sixty fictional institutions, Jinjiang's matrix, delegations.

The accounts share one password, so they exist only where settings.DEMO says that nothing here is real.
Everything goes through the services people use, and is left alone once it is there.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from core.errors import DomainError
from departments.enums import Role
from departments.models import Department, Town, User
from departments.services import appoint, certify, mark_read
from institutions.services import load as load_institutions
from portal import reference
from scenarios.enums import DelegationList
from scenarios.models import Delegation, PenaltyItem, Scenario
from scenarios.services.delegations import delegate_to_towns
from scenarios.services.importing import DuplicateError, import_workbook
from scenarios.services.library import load_texts
from scenarios.services.participants import departments_without_contact, name_contact
from scenarios.services.versions import publish

PASSWORD = "demo-Jinjiang-2024"
EXPIRED_OFFICER = 6
MATRIX_DATE = date(2024, 12, 2)
# 福建省赋权目录（闽政文〔2022〕3号）之后
DELEGATED_FROM = date(2023, 1, 1)
WITHOUT_FIRE_LIST = ("紫帽镇", "西滨镇", "内坑镇")
ENDED_FIRE_LIST, ENDED_ON = "西滨镇", date(2023, 12, 31)
COMING_FIRE_LIST = "内坑镇"


def require_demo() -> None:
    """Raise DomainError unless this installation is a demo."""
    if not settings.DEMO:
        raise DomainError("演示数据只能在 PORTAL_DEMO=1 时载入：演示账号的密码是公开的。")


@dataclass(frozen=True)
class Loaded:
    """How much was new."""

    accounts: int
    institutions: int
    versions: int
    delegations: int


@transaction.atomic
def load() -> Loaded:
    """Reference data, cast, register, matrix and delegations; what is there already stays as it is.

    Raises DomainError unless this installation is a demo.
    """
    require_demo()
    reference.load()
    accounts = load_cast()
    admin = User.objects.get(username="admin")
    institutions = load_institutions(reference.read("institutions.json"), actor=admin)
    versions = load_matrix(admin)
    name_contacts()
    delegations = load_delegations(admin)
    return Loaded(accounts, len(institutions), versions, delegations)


def load_matrix(admin: User) -> int:
    """晋政民〔2024〕75号 with its texts, published as of its date; 1 when it was not there before."""
    path = settings.BASE_DIR / "fixtures" / "jinjiang-matrix.xlsx"
    try:
        version = import_workbook(path.read_bytes(), name=path.name, actor=admin)
    except DuplicateError:
        return 0
    load_texts(reference.read("matrix-texts.json"), actor=admin)
    publish(version, actor=admin, effective_from=MATRIX_DATE)
    return 1


def name_contacts() -> None:
    """Each bureau's 经办 says whom to call, where nobody is named yet."""
    cast = reference.read("cast.json")["bureaus"]
    for scenario in Scenario.objects.all():
        for department in departments_without_contact(scenario):
            handler = User.objects.get(username=department.code)
            name_contact(
                scenario,
                department,
                actor=handler,
                section=cast[department.code]["section"],
                contact_name=handler.name,
                contact_phone=f"0595-8560{department.order:04d}",
            )
            mark_read(handler, subject=scenario.subject)


def load_delegations(admin: User) -> int:
    """All towns hold the general list, all but three the fire list (泉州 gave fire items one by one).

    Of the three, one held the fire list for a year and one takes it up next month.
    """
    if Delegation.objects.exists():
        return 0
    begins = _next_month(timezone.localdate())
    terms = [
        (DelegationList.GENERAL, Town.objects.all(), DELEGATED_FROM, None),
        (DelegationList.FIRE, Town.objects.exclude(name__in=WITHOUT_FIRE_LIST), DELEGATED_FROM, None),
        (DelegationList.FIRE, Town.objects.filter(name=ENDED_FIRE_LIST), DELEGATED_FROM, ENDED_ON),
        (DelegationList.FIRE, Town.objects.filter(name=COMING_FIRE_LIST), begins, None),
    ]
    made = 0
    for listing, towns, valid_from, valid_until in terms:
        items = PenaltyItem.objects.filter(rows__delegation_list=listing).distinct()
        made += len(
            delegate_to_towns(
                towns, items, listing, valid_from=valid_from, valid_until=valid_until, actor=admin
            )
        )
    return made


def _next_month(day: date) -> date:
    """The first of the month after tomorrow's: a day still to come whenever the demo is looked at."""
    return ((day + timedelta(days=1)).replace(day=1) + timedelta(days=32)).replace(day=1)


def accounts() -> list[tuple[str, str]]:
    """Username and who it is, for the console of `make demo`."""
    cast = reference.read("cast.json")
    bureaus = {entry["code"]: entry["short_name"] for entry in reference.read("departments.json")["bureaus"]}
    officers = len(next(iter(cast["bureaus"].values()))["officers"])
    towns = len(cast["towns"])
    lines = [(person["username"], _roles_display(person["roles"])) for person in cast["global"]]
    lines += [(code, f"{name} 经办") for code, name in bureaus.items()]
    lines += [
        ("minzheng-fzr", "市民政局 负责人；其他部门同样是 <部门>-fzr"),
        ("minzheng-jc1 … minzheng-jc6", f"市民政局 执法人员，每部门 {officers} 名，jc6 的执法证已过期"),
        (cast["legal_reviewer"]["username"], "法制审核（各部门、各镇街）"),
        ("zhen-yinglin", f"英林镇 执法人员；{towns} 个镇街都是 zhen-<拼音>"),
    ]
    return lines


@transaction.atomic
def load_cast() -> int:
    """Create the accounts that are missing, with posts and certificates; return how many.

    Accounts that exist are left as their owners changed them.
    """
    require_demo()
    cast = reference.read("cast.json")
    departments = {department.code: department for department in Department.objects.all()}
    # One hash for all: ninety argon2 hashes would cost half a minute, and the password is public anyway.
    encoded = make_password(PASSWORD)
    known = set(User.objects.values_list("username", flat=True))
    created = 0
    for username, name, posts, number in _parts(cast, departments):
        if username in known:
            continue
        user = User.objects.create(username=username, name=name, password=encoded)
        for role, department in posts:
            appoint(user, role, department)
        if number:
            certify(user, posts[0][1], **_certificate(posts[0][1], number))
        created += 1
    return created


def _parts(cast: dict[str, Any], departments: dict[str, Department]):
    """(username, name, [(role, department)], officer's number or 0) of everybody."""
    for person in cast["global"]:
        yield person["username"], person["name"], [(Role(role), None) for role in person["roles"]], 0
    reviewed = [(Role.LEGAL_REVIEWER, department) for department in departments.values()]
    yield cast["legal_reviewer"]["username"], cast["legal_reviewer"]["name"], reviewed, 0
    for code, people in cast["bureaus"].items():
        bureau = departments[code]
        yield code, people["handler"], [(Role.HANDLER, bureau)], 0
        yield f"{code}-fzr", people["head"], [(Role.HEAD, bureau)], 0
        for number, name in enumerate(people["officers"], start=1):
            yield f"{code}-jc{number}", name, [(Role.OFFICER, bureau)], number
    for code, name in cast["towns"].items():
        yield code, name, [(Role.HANDLER, departments[code]), (Role.OFFICER, departments[code])], 1


def _certificate(department: Department, number: int) -> dict[str, Any]:
    """A certificate valid for years whenever the demo is loaded; the sixth officer's ran out last year."""
    year = timezone.localdate().year
    ends = year - 1 if number == EXPIRED_OFFICER else year + 2
    return {
        "certificate_number": f"350582{department.order:03d}{number:03d}",
        "certified_from": date(ends - 4, 1, 1),
        "certified_until": date(ends, 12, 31),
    }


def _roles_display(roles: list[str]) -> str:
    return "、".join(Role(role).label for role in roles)
