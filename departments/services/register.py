"""The register of departments: bureaus and towns, their names, whom to call."""

from collections.abc import Iterable

from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import transaction

from core.errors import DomainError
from departments.enums import DepartmentKind, Event
from departments.models import Department, DepartmentAlias, Town, User
from departments.permissions import may_change_department
from departments.services.posts import key_of
from ledger import services as ledger


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
        department=key_of(actor.own_department),
    )
    return current
