"""Telling people in time that a 执法证 ends: without a valid one nobody can be sent (行政处罚法第42条)."""

from datetime import date

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from departments.enums import Role, Warned
from departments.models import CertificateWarning, Notification, Officer, Post

# A department without an administrator is told through its head.
TOLD = (Role.DEPARTMENT_ADMIN, Role.HEAD)


def warn(day: date | None = None) -> int:
    """Tell officers and their departments of certificates that end soon, and of those that have ended; how many.

    Each once for each certificate, however often this runs and on however many machines.
    """
    day = day or timezone.localdate()
    due = Officer.objects.to_renew(day)
    ended = _warn(due.filter(certified_until__lt=day), Warned.EXPIRED)
    return ended + _warn(due.filter(certified_until__gte=day), Warned.EXPIRING)


@transaction.atomic
def _warn(officers, kind: Warned) -> int:
    told = CertificateWarning.objects.filter(
        officer=OuterRef("pk"), kind=kind, certified_until=OuterRef("certified_until")
    )
    untold = list(
        officers.filter(~Exists(told))
        .select_for_update(of=("self",), skip_locked=True)
        .select_related("user", "department")
        .order_by("pk")
    )
    CertificateWarning.objects.bulk_create(
        CertificateWarning(officer=officer, kind=kind, certified_until=officer.certified_until)
        for officer in untold
    )
    keepers = _keepers({officer.department_id for officer in untold})
    Notification.objects.bulk_create(
        Notification(recipient_id=recipient, text=text, subject=officer.key)
        for officer in untold
        for recipient, text in _messages(officer, kind, keepers.get(officer.department_id, []))
    )
    return len(untold)


def _messages(officer: Officer, kind: Warned, keepers: list[int]) -> list[tuple[int, str]]:
    until = f"{officer.certified_until:%Y-%m-%d}"
    if kind == Warned.EXPIRED:
        said, then = f"执法证已于 {until} 到期", "换证登记前不能参加检查、不被抽取。"
    else:
        said, then = f"执法证将于 {until} 到期", "请及时换证并登记新的有效期。"
    number = officer.certificate_number
    own = (officer.user_id, f"您的{said}（证号 {number}），{then}")
    others = [
        (keeper, f"{officer.user.name}的{said}（证号 {number}），{then}")
        for keeper in keepers
        if keeper != officer.user_id
    ]
    return [own, *others]


def _keepers(departments: set[int]) -> dict[int, list[int]]:
    """Department → the accounts of its administrators, or of its heads where it has none."""
    held: dict[int, dict[str, list[int]]] = {}
    posts = Post.objects.filter(department__in=departments, role__in=TOLD, user__is_active=True)
    for department, role, user in posts.order_by("pk").values_list("department", "role", "user"):
        held.setdefault(department, {}).setdefault(role, []).append(user)
    return {
        department: next(roles[role] for role in TOLD if role in roles) for department, roles in held.items()
    }
