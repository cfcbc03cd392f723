"""Accounts, posts, officers, notifications."""

import secrets
from collections.abc import Iterable
from datetime import date

import axes.utils
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from core.errors import DomainError
from departments.enums import DepartmentKind, Event, NotificationKind, Role
from departments.models import Department, DepartmentAlias, Notification, Officer, Post, Town, User
from departments.permissions import may_change_department, require_appointer, require_manager
from ledger import services as ledger

# No 0 O o, 1 l I: a temporary password is read aloud or copied by hand.
LEGIBLE = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


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
def change_department(
    department: Department, *, actor: User, agency_code: str, contact_name: str, contact_phone: str
) -> Department:
    """Say whom to call, and the word that stands in the department's document numbers.

    The ledger names the fields that changed; who the contact is stays out of it.
    """
    if not may_change_department(actor, department):
        raise PermissionDenied("部门信息由系统管理员或本部门的部门管理员变更。")
    current = Department.objects.select_for_update().get(pk=department.pk)
    given = {"agency_code": agency_code, "contact_name": contact_name, "contact_phone": contact_phone}
    changed = [name for name, value in given.items() if getattr(current, name) != value]
    if not changed:
        return current
    for name in changed:
        setattr(current, name, given[name])
    current.save(update_fields=changed)
    ledger.append(
        current.key,
        Event.DEPARTMENT_CHANGED,
        {"changed": changed, "agency_code": current.agency_code},
        actor=actor.key,
        department=_key_of(actor.own_department),
    )
    return current


@transaction.atomic
def appoint(
    user: User, role: Role, department: Department | None = None, *, actor: User | None = None
) -> Post:
    """Give an account a post; joining a department joins its group, whose permissions it then shares.

    Without an actor it is part of setting the portal up, and no entry is written.
    """
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
def certify(
    user: User,
    department: Department,
    *,
    certificate_number: str,
    certified_from: date,
    certified_until: date,
    actor: User | None = None,
) -> Officer:
    """Make an account an officer of its department. Raises DomainError for dates in the wrong order, or a
    certificate somebody else holds."""
    if certified_until < certified_from:
        raise DomainError("执法证有效期止日早于起日。", fields={"certified_until": "应不早于有效期自"})
    holder = Officer.objects.filter(certificate_number=certificate_number).exclude(user=user).first()
    if holder:
        raise DomainError(
            f"执法证号 {certificate_number} 已由{holder.department.short_name}的{holder}登记。",
            fields={"certificate_number": "此证号已登记"},
        )
    officer, _ = Officer.objects.update_or_create(
        user=user,
        defaults={
            "department": department,
            "certificate_number": certificate_number,
            "certified_from": certified_from,
            "certified_until": certified_until,
        },
    )
    for former in user.posts.filter(role=Role.OFFICER).exclude(department=department):
        dismiss(former, actor=actor)
    appoint(user, Role.OFFICER, department)
    if actor:
        validity = {"from": certified_from.isoformat(), "until": certified_until.isoformat()}
        note(
            user,
            Event.CERTIFIED,
            {"officer": officer.key, "department": department.code, **validity},
            actor=actor,
        )
    return officer


@transaction.atomic
def issue_certificate(account: User, *, actor: User, department: Department, **certificate) -> Officer:
    """An administrator records a person's certificate (fields as `certify`). Raises as `certify`, and
    PermissionDenied when the department, or the one the officer leaves, is not the actor's to appoint in."""
    require_appointer(actor, Role.OFFICER, department)
    present = Officer.objects.select_for_update().filter(user=account).first()
    if present and present.department_id != department.pk:
        require_appointer(actor, Role.OFFICER, present.department)
    return certify(account, department, actor=actor, **certificate)


def note(account: User, event: Event, payload: dict, *, actor: User) -> None:
    """An entry on the account's own chain."""
    department = _key_of(actor.own_department)
    ledger.append(account.subject, event, payload, actor=actor.key, department=department)


def _key_of(department: Department | None) -> str:
    return department.key if department else ""


def post_payload(post: Post) -> dict[str, str]:
    return {"role": post.role, "department": post.department.code if post.department else ""}


@transaction.atomic
def create_account(
    *,
    actor: User,
    username: str,
    name: str,
    role: Role,
    department: Department | None = None,
    phone: str = "",
) -> tuple[User, str]:
    """A new account with its first post, and the password to hand over, to be changed at the first login.

    Raises PermissionDenied for a post the actor may not give, DomainError for a taken username.
    """
    require_appointer(actor, role, department)
    if User.objects.filter(username__iexact=username).exists():
        raise DomainError(f"用户名“{username}”已被使用。", fields={"username": "此用户名已被使用"})
    password = temporary_password()
    user = User.objects.create_user(username, password, name=name, phone=phone, must_change_password=True)
    post = appoint(user, role, department)
    note(user, Event.CREATED, post_payload(post), actor=actor)
    return user, password


@transaction.atomic
def change_account(account: User, *, actor: User, name: str, phone: str) -> User:
    """Correct a person's name or phone; the ledger has neither, so nothing is noted there."""
    require_manager(actor, account)
    current = User.objects.select_for_update().get(pk=account.pk)
    current.name, current.phone = name, phone
    current.save(update_fields=["name", "phone"])
    return current


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
    系统管理员 or 安全管理员, without whom nobody could give the post again."""
    if post.user_id == actor.pk:
        raise PermissionDenied("不能变更本人的岗位。")
    require_appointer(actor, post.role, post.department)
    _keep_last(post.user, [post.role])
    dismiss(post, actor=actor)


@transaction.atomic
def set_active(account: User, active: bool, *, actor: User) -> None:
    """Close an account, or open it again. A closed one is logged out at once and drawn by nobody."""
    require_manager(actor, account)
    current = User.objects.select_for_update().get(pk=account.pk)
    if current.is_active == active:
        return
    if not active:
        _keep_last(current, [post.role for post in current.held_posts])
    current.is_active = active
    current.save(update_fields=["is_active"])
    note(current, Event.REACTIVATED if active else Event.DEACTIVATED, {}, actor=actor)


@transaction.atomic
def reset_password(account: User, *, actor: User) -> str:
    """A new password to hand over, to be changed at the next login; a lock for failed logins ends."""
    require_manager(actor, account)
    password = temporary_password()
    current = User.objects.select_for_update().get(pk=account.pk)
    current.set_password(password)
    current.must_change_password = True
    current.save(update_fields=["password", "must_change_password"])
    axes.utils.reset(username=current.username)
    note(current, Event.PASSWORD_RESET, {}, actor=actor)
    return password


@transaction.atomic
def change_password(user: User, password: str) -> None:
    """A person's own new password, checked by the form; logins elsewhere end."""
    user.set_password(password)
    user.must_change_password = False
    user.save(update_fields=["password", "must_change_password"])
    note(user, Event.PASSWORD_CHANGED, {}, actor=user)


def temporary_password() -> str:
    """Three groups of four, of every character class, without characters that look alike."""
    while True:
        groups = ["".join(secrets.choice(LEGIBLE) for _ in range(4)) for _ in range(3)]
        password = "-".join(groups)
        if all(any(test(char) for char in password) for test in (str.islower, str.isupper, str.isdigit)):
            return password


def _keep_last(user: User, roles: Iterable[str]) -> None:
    # The rows are locked, so that two administrators cannot remove each other in the same moment.
    for role in {Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN} & set(roles):
        holders = Post.objects.select_for_update().filter(role=role, user__is_active=True).order_by("pk")
        if all(post.user_id == user.pk for post in holders):
            raise DomainError(f"{user.name}是唯一的{Role(role).label}，请先指定他人。")


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
        User.objects.filter(
            is_active=True, posts__department=department, posts__role__in=list(roles)
        ).distinct(),
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
