"""Posts: who acts for which department, and what each change of one leaves on the account's chain."""

from collections.abc import Iterable

from django.core.exceptions import PermissionDenied
from django.db import transaction

from core.constraints import refusing
from core.errors import DomainError
from departments.enums import SEPARATE_ROLES, Event, Role
from departments.models import Department, Post, User
from departments.permissions import require_appointer
from ledger import services as ledger


@transaction.atomic
def appoint(
    user: User, role: Role, department: Department | None = None, *, actor: User | None = None
) -> Post:
    """Give an account a post; joining a department joins its group, whose permissions it then shares.

    Without an actor it is part of setting the portal up, and no entry is written. Raises DomainError for a
    second one of 系统管理员, 安全管理员 and 审计管理员: no account holds two of them.
    """
    _require_separate(user, role)
    with refusing("departments_one_of_three_administrators", _not_separate(user, role)):
        post, created = Post.objects.get_or_create(user=user, department=department, role=role)
    if department:
        user.groups.add(department.group)
    user.__dict__.pop("held_posts", None)
    if created and actor:
        note(user, Event.APPOINTED, post_payload(post), actor=actor)
    return post


@transaction.atomic
def dismiss(post: Post, *, actor: User | None = None) -> None:
    """Take a post away; with the last post in a department its group goes too."""
    user, department, payload = post.user, post.department, post_payload(post)
    post.delete()
    if department and not user.posts.filter(department=department).exists():
        user.groups.remove(department.group)
    user.__dict__.pop("held_posts", None)
    if actor:
        note(user, Event.DISMISSED, payload, actor=actor)


@transaction.atomic
def give_post(account: User, role: Role, department: Department | None, *, actor: User) -> Post:
    """An administrator gives somebody else a post. Raises PermissionDenied; DomainError when it is held already
    or is that of an officer, which comes with the certificate."""
    if account.pk == actor.pk:
        raise PermissionDenied("不能变更本人的岗位。")
    require_appointer(actor, role, department)
    if role == Role.OFFICER:
        raise DomainError("执法人员岗位随执法证登记，请在“执法证”中登记。", fields={"role": "请登记执法证"})
    if account.posts.filter(role=role, department=department).exists():
        raise DomainError(f"{account.name}已任此岗位。", fields={"role": "已任此岗位"})
    return appoint(account, role, department, actor=actor)


@transaction.atomic
def take_post(post: Post, *, actor: User) -> None:
    """An administrator takes a post from somebody else. Raises PermissionDenied; DomainError for the last
    系统管理员 or 安全管理员, without whom nobody could give the post again, and for that of an officer, which would
    leave somebody to be drawn who has no post."""
    if post.user_id == actor.pk:
        raise PermissionDenied("不能变更本人的岗位。")
    require_appointer(actor, post.role, post.department)
    if post.role == Role.OFFICER:
        raise DomainError("执法人员岗位随执法证，请在执法人员名录登记离岗、离职或调离。")
    keep_last(post.user, [post.role])
    dismiss(post, actor=actor)


def keep_last(user: User, roles: Iterable[str]) -> None:
    """Raise DomainError when the account is the last 系统管理员 or 安全管理员 of those roles.

    The rows are locked, so that two administrators cannot remove each other in the same moment.
    """
    for role in {Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN} & set(roles):
        holders = Post.objects.select_for_update().filter(role=role, user__is_active=True).order_by("pk")
        if all(post.user_id == user.pk for post in holders):
            raise DomainError(f"{user.name}是唯一的{Role(role).label}，请先指定他人。")


def note(account: User, event: Event, payload: dict, *, actor: User) -> None:
    """An entry on the account's own chain."""
    department = key_of(actor.own_department)
    ledger.append(account.subject, event, payload, actor=actor.key, department=department)


def post_payload(post: Post) -> dict[str, str]:
    """What the ledger says of a post."""
    return {"role": post.role, "department": post.department.code if post.department else ""}


def _require_separate(user: User, role: Role) -> None:
    if role not in SEPARATE_ROLES:
        return
    held = user.posts.filter(role__in=SEPARATE_ROLES).exclude(role=role).first()
    if held:
        raise _not_separate(user, role, held.get_role_display())


def _not_separate(user: User, role: Role, held: str = "另一种管理员") -> DomainError:
    return DomainError(
        f"{user.name}已任{held}，不能同时任{Role(role).label}："
        "系统管理员、安全管理员、审计管理员须由不同的人担任。",
        fields={"role": "三种管理员须由不同的人担任"},
    )


def key_of(department: Department | None) -> str:
    """The department's key; empty for an account without one."""
    return department.key if department else ""
