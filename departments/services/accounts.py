"""Accounts: created, corrected, closed and opened; passwords handed over and changed."""

import secrets

import axes.utils
from django.db import transaction

from core.constraints import refusing
from core.errors import DomainError
from departments.enums import Event, Role
from departments.models import Department, User
from departments.permissions import require_appointer, require_manager
from departments.services.posts import appoint, keep_last, note, post_payload

# No 0 O o, 1 l I: a temporary password is read aloud or copied by hand.
LEGIBLE = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


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

    Raises as `open_account`.
    """
    password = temporary_password()
    user = open_account(
        actor=actor,
        username=username,
        name=name,
        role=role,
        department=department,
        phone=phone,
        password=password,
    )
    return user, password


@transaction.atomic
def open_account(
    *,
    actor: User,
    username: str,
    name: str,
    role: Role,
    department: Department | None = None,
    phone: str = "",
    password: str | None = None,
    noted: dict[str, str] | None = None,
) -> User:
    """As `create_account`; without a password nobody can log in before an administrator resets it. The entry
    says what is `noted` besides.

    Raises PermissionDenied for a post the actor may not give, DomainError for a taken username.
    """
    require_appointer(actor, role, department)
    taken = DomainError(f"用户名“{username}”已被使用。", fields={"username": "此用户名已被使用"})
    if User.objects.filter(username__iexact=username).exists():
        raise taken
    with refusing("departments_user_username_key", taken):
        user = User.objects.create_user(username, password, name=name, phone=phone, must_change_password=True)
    post = appoint(user, role, department)
    note(user, Event.CREATED, post_payload(post) | (noted or {}), actor=actor)
    return user


@transaction.atomic
def change_account(account: User, *, actor: User, name: str, phone: str) -> User:
    """Correct a person's name or phone; the ledger says that it was changed, and neither of them."""
    require_manager(actor, account)
    current = User.objects.select_for_update().get(pk=account.pk)
    given = {"name": name, "phone": phone}
    changed = [field for field, value in given.items() if getattr(current, field) != value]
    if not changed:
        return current
    current.name, current.phone = name, phone
    current.save(update_fields=changed)
    note(current, Event.CHANGED, {"changed": changed}, actor=actor)
    return current


@transaction.atomic
def set_active(account: User, active: bool, *, actor: User) -> None:
    """Close an account, or open it again. A closed one is logged out at once and drawn by nobody."""
    require_manager(actor, account)
    current = User.objects.select_for_update().get(pk=account.pk)
    if current.is_active == active:
        return
    if not active:
        keep_last(current, [post.role for post in current.held_posts])
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
