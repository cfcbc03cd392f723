"""The demo cast (fixtures/cast.json): one account for every part somebody plays in a joint inspection.

They share one password, so they exist only where settings.DEMO says that nothing here is real.
"""

from datetime import date
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from core.errors import DomainError
from departments.enums import Role
from departments.models import Department, User
from departments.services import appoint, certify
from portal import reference

PASSWORD = "demo-Jinjiang-2024"
EXPIRED_OFFICER = 6


def require_demo() -> None:
    """Raise DomainError unless this installation is a demo."""
    if not settings.DEMO:
        raise DomainError("演示数据只能在 PORTAL_DEMO=1 时载入：演示账号的密码是公开的。")


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
