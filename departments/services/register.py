"""The register of departments: bureaus and towns, their names, whom to call."""

from collections.abc import Iterable

from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Max

from core.digests import digest_text
from core.errors import DomainError
from departments.enums import AliasOrigin, DepartmentKind, Event
from departments.models import Department, DepartmentAlias, Town, User
from departments.permissions import may_change_department, names_departments
from departments.services.lookup import known_names
from departments.services.naming import plain_name
from departments.services.posts import key_of
from ledger import services as ledger

# What a department says of itself, and what 系统管理员 alone says.
OWN = ("duties", "agency_code", "contact_section", "contact_name", "contact_phone")
NAMING = ("name", "short_name", "order")


@transaction.atomic
def create_department(
    *,
    code: str,
    name: str,
    short_name: str,
    town: Town | None = None,
    aliases: Iterable[str] = (),
    actor: User | None = None,
    **fields,
) -> Department:
    """A department with its auth group; its own names need no alias. Raises DomainError on a taken name.

    Without an actor it is part of setting the portal up, and no entry is written.
    """
    if Department.objects.filter(code=code).exists():
        raise DomainError(f"代号“{code}”已被使用。", fields={"code": "此代号已被使用"})
    _require_free({"name": name, "short_name": short_name})
    others = {plain_name(alias): alias for alias in aliases}
    _require_free(others)
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
        DepartmentAlias(department=department, alias=alias) for alias in others
    )
    if actor:
        _note(department, Event.DEPARTMENT_CREATED, {"kind": department.kind}, actor=actor)
    return department


@transaction.atomic
def enter_department(
    *,
    actor: User,
    kind: DepartmentKind,
    short_name: str,
    town_code: str = "",
    order: int | None = None,
    **fields,
) -> Department:
    """系统管理员 enters a bureau or town; without `order` it comes last of its kind. Raises PermissionDenied, and
    DomainError on a taken code or name."""
    if not names_departments(actor):
        raise PermissionDenied("部门由系统管理员登记。")
    town = None
    if kind == DepartmentKind.TOWN:
        holder = Department.objects.filter(town__code=town_code).first()
        if holder:
            raise DomainError(
                f"行政区划代码 {town_code} 已由{holder.short_name}登记。",
                fields={"town_code": "此代码已登记"},
            )
        town, _ = Town.objects.get_or_create(code=town_code, defaults={"name": short_name})
    if order is None:
        last = Department.objects.filter(kind=kind).aggregate(last=Max("order"))["last"] or 0
        order = last + 1
    return create_department(short_name=short_name, town=town, order=order, actor=actor, **fields)


@transaction.atomic
def change_department(department: Department, *, actor: User, **given) -> Department:
    """Change what is given of OWN, and of NAMING, which is 系统管理员's. A name given up becomes an alias, so that
    older documents still find the department.

    The ledger names the fields that changed; who the contact is stays out of it. Raises PermissionDenied, and
    DomainError on a taken name.
    """
    if not may_change_department(actor, department):
        raise PermissionDenied("部门信息由系统管理员或本部门的部门管理员变更。")
    current = Department.objects.select_for_update().get(pk=department.pk)
    changed = [name for name in (*NAMING, *OWN) if name in given and getattr(current, name) != given[name]]
    if not changed:
        return current
    if not names_departments(actor) and not set(changed).issubset(OWN):
        raise PermissionDenied("部门的名称和排序由系统管理员变更。")
    renamed = {name: given[name] for name in changed if name in ("name", "short_name")}
    _require_free(renamed, own=current)
    former = [getattr(current, name) for name in renamed]
    for name in changed:
        setattr(current, name, given[name])
    current.save(update_fields=changed)
    _keep_former_names(current, former)
    _note(
        current,
        Event.DEPARTMENT_CHANGED,
        {"changed": changed, "agency_code": current.agency_code},
        actor=actor,
    )
    return current


@transaction.atomic
def register_alias(department: Department, alias: str, *, actor: User) -> DepartmentAlias:
    """系统管理员 says what else documents call a department. Raises PermissionDenied; DomainError naming the
    department that holds the name already."""
    _require_namer(actor)
    if not plain_name(alias):
        raise DomainError("请填写别名。", fields={"alias": "请填写别名"})
    _require_free({"alias": alias})
    added = DepartmentAlias.objects.create(department=department, alias=plain_name(alias))
    _note(department, Event.ALIAS_ADDED, _alias_payload(added), actor=actor)
    return added


@transaction.atomic
def add_alias(department: Department, alias: str, *, actor: User | None = None) -> None:
    """Remember the name a document used for a department; a name that is known already stays as it is.

    Without an actor it is part of setting the portal up, and no entry is written.
    """
    if alias in known_names():
        return
    learnt, created = DepartmentAlias.objects.get_or_create(
        alias=plain_name(alias), defaults={"department": department, "origin": AliasOrigin.LEARNT}
    )
    if created and actor:
        _note(department, Event.ALIAS_ADDED, _alias_payload(learnt), actor=actor)


@transaction.atomic
def remove_alias(alias: DepartmentAlias, *, actor: User) -> None:
    """系统管理员 takes a wrong alias away; what was imported with it stays as it is. Raises PermissionDenied."""
    _require_namer(actor)
    department, payload = alias.department, _alias_payload(alias)
    alias.delete()
    _note(department, Event.ALIAS_REMOVED, payload, actor=actor)


def _require_namer(actor: User) -> None:
    if not names_departments(actor):
        raise PermissionDenied("部门的别名由系统管理员登记。")


def _require_free(wanted: dict[str, str], *, own: Department | None = None) -> None:
    """Raise DomainError, naming the holder, when a name (by field) is another department's, or `own`'s already."""
    names = known_names()
    for field, name in wanted.items():
        holder = names.get(name)
        if holder is None or holder == own:
            continue
        raise DomainError(
            f"“{name}”已是{holder.short_name}的名称或别名。", fields={field: f"已是{holder.short_name}的名称"}
        )


def _keep_former_names(department: Department, former: Iterable[str]) -> None:
    current = {plain_name(department.name), plain_name(department.short_name)}
    DepartmentAlias.objects.filter(department=department, alias__in=current).delete()
    DepartmentAlias.objects.bulk_create(
        [
            DepartmentAlias(department=department, alias=name, origin=AliasOrigin.FORMER)
            for name in {plain_name(name) for name in former} - current
        ],
        ignore_conflicts=True,
    )
    if department.is_town:
        Town.objects.filter(pk=department.town_id).update(name=department.short_name)


def _alias_payload(alias: DepartmentAlias) -> dict[str, str | int]:
    return {"alias": alias.pk, "origin": alias.origin, "digest": digest_text(alias.alias)}


def _note(department: Department, event: Event, payload: dict, *, actor: User) -> None:
    ledger.append(department.key, event, payload, actor=actor.key, department=key_of(actor.own_department))
