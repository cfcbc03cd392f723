"""Accounts, posts, officers, notifications."""

from collections.abc import Iterable
from datetime import date

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from core.errors import DomainError
from departments.enums import DepartmentKind, NotificationKind, Role
from departments.models import Department, DepartmentAlias, Notification, Officer, Post, Town, User


@transaction.atomic
def create_department(
    *, code: str, name: str, short_name: str, town: Town | None = None, aliases: Iterable[str] = (), **fields
) -> Department:
    """A department with its auth group; its own names need no alias. Raises DomainError on a taken name."""
    taken = Department.objects.filter(name__in=[name, short_name]).exists()
    if taken or DepartmentAlias.objects.filter(alias__in=[name, short_name, *aliases]).exists():
        raise DomainError(f"“{name}”或其别名已被其他部门使用。")
    department = Department.objects.create(
        code=code,
        name=name,
        short_name=short_name,
        kind=DepartmentKind.TOWN if town else DepartmentKind.BUREAU,
        town=town,
        group=Group.objects.create(name=f"department:{code}"),
        **fields,
    )
    DepartmentAlias.objects.bulk_create(
        DepartmentAlias(department=department, alias=alias) for alias in aliases
    )
    return department


@transaction.atomic
def appoint(user: User, role: Role, department: Department | None = None) -> Post:
    """Give an account a post; joining a department joins its group, whose permissions it then shares."""
    post, _ = Post.objects.get_or_create(user=user, department=department, role=role)
    if department:
        user.groups.add(department.group)
    user.__dict__.pop("held_posts", None)
    return post


@transaction.atomic
def dismiss(post: Post) -> None:
    """Take a post away; with the last post in a department its group goes too."""
    user, department = post.user, post.department
    post.delete()
    if department and not user.posts.filter(department=department).exists():
        user.groups.remove(department.group)
    user.__dict__.pop("held_posts", None)


@transaction.atomic
def certify(
    user: User, department: Department, *, certificate_number: str, certified_from: date, certified_until: date
) -> Officer:
    """Make an account an officer of its department."""
    if certified_until < certified_from:
        raise DomainError("执法证有效期止日早于起日。", fields={"certified_until": "应不早于有效期自"})
    officer, _ = Officer.objects.update_or_create(
        user=user,
        defaults={
            "department": department,
            "certificate_number": certificate_number,
            "certified_from": certified_from,
            "certified_until": certified_until,
        },
    )
    appoint(user, Role.OFFICER, department)
    return officer


def find_department(name: str) -> Department | None:
    """The department a document means by `name`: code, full or short name, or an alias."""
    wanted = "".join(name.split())
    return (
        Department.objects.filter(name=wanted).first()
        or Department.objects.filter(short_name=wanted).first()
        or Department.objects.filter(aliases__alias=wanted).first()
    )


def known_names() -> dict[str, Department]:
    """Every name documents use → its department, in two queries; `find_department` for whole documents."""
    departments = {department.pk: department for department in Department.objects.all()}
    names = {
        alias: departments[pk] for alias, pk in DepartmentAlias.objects.values_list("alias", "department_id")
    }
    names |= {department.short_name: department for department in departments.values()}
    names |= {department.name: department for department in departments.values()}
    return names


def add_alias(department: Department, alias: str) -> None:
    """Remember another name of a department; a name that is known already stays as it is."""
    DepartmentAlias.objects.get_or_create(alias=alias, defaults={"department": department})


def notify(
    department: Department,
    text: str,
    *,
    subject: str = "",
    roles: Iterable[Role] = (Role.HANDLER,),
    kind: NotificationKind = NotificationKind.WORK,
) -> None:
    """Tell everybody who holds one of `roles` in the department; `subject` is a key like `referral:12`."""
    notify_users(
        User.objects.filter(is_active=True, posts__department=department, posts__role__in=list(roles)).distinct(),
        text,
        subject=subject,
        kind=kind,
    )


def notify_users(
    users: Iterable[User], text: str, *, subject: str = "", kind: NotificationKind = NotificationKind.WORK
) -> None:
    """One message to each account."""
    Notification.objects.bulk_create(
        Notification(recipient=user, text=text[:300], subject=subject, kind=kind) for user in users
    )


def mark_read(user: User, *, notification: int | None = None, subject: str = "") -> int:
    """Mark the account's unread messages read: one, those about a subject, or all; return how many."""
    unread = user.notifications.filter(read_at=None)
    if notification is not None:
        unread = unread.filter(pk=notification)
    if subject:
        unread = unread.filter(subject=subject)
    return unread.update(read_at=timezone.now())
