"""Verbs of the register: register, change, set the operating state; each leaves a ledger entry."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from core.constraints import refusing
from core.digests import digest_text
from core.errors import DomainError
from departments.models import Town, User
from institutions.enums import TRANSITIONS, Event, Feature, OperatingState
from institutions.models import Institution, StateChange
from institutions.permissions import require_keeper
from institutions.services.codes import check_uscc, temporary_numbers, uscc_error
from institutions.services.entries import REGISTERED, changed, note, registered, said_by
from institutions.services.rules import contradictions

RATINGS = range(1, 6)


@transaction.atomic
def register(*, actor: User, **fields: Any) -> Institution:
    """Enter an institution into the register; `fields` are those of REGISTERED, `town` a Town.

    Raises PermissionDenied unless the actor keeps the register, DomainError naming the field.
    """
    require_keeper(actor)
    institution = Institution()
    _set(institution, fields)
    _save(institution)
    note(institution, Event.REGISTERED, registered(institution.key, said_by(institution)), actor)
    return institution


@transaction.atomic
def change(institution: Institution, *, actor: User, **fields: Any) -> Institution:
    """Change what the register says; nothing is written when nothing differs.

    The operating state has its own verb, since it needs a day and a reason. Raises as `register`.
    """
    require_keeper(actor)
    if "operating_state" in fields:
        raise TypeError("use set_operating_state")
    current = locked(institution)
    before = said_by(current)
    _set(current, fields)
    payload = changed(before, said_by(current))
    if payload:
        _save(current)
        note(current, Event.CHANGED, payload, actor)
    return current


@transaction.atomic
def set_operating_state(
    institution: Institution, state: OperatingState, *, actor: User, reason: str, on: date | None = None
) -> Institution:
    """Suspend, close or resume an institution from the day `on` (today when not given).

    Raises PermissionDenied, or DomainError for a step TRANSITIONS does not know, a missing reason or a
    day in the future: the register tells what is, not what is planned.
    """
    require_keeper(actor)
    current = locked(institution)
    state, before = OperatingState(state), OperatingState(current.operating_state)
    today = timezone.localdate()
    on = on or today
    if state not in TRANSITIONS[before]:
        raise DomainError(f"“{current.name}”现为{before.label}，不能改为{state.label}。")
    if not reason.strip():
        raise DomainError("请填写运营状态变更的原因。", fields={"reason": "请填写原因"})
    if on > today:
        raise DomainError("生效日期不能晚于今天。", fields={"on": "不能晚于今天"})
    current.operating_state = state
    current.save(update_fields=["operating_state", "changed_at"])
    StateChange.objects.create(
        institution=current, from_state=before, to_state=state, on=on, reason=reason.strip(), changed_by=actor
    )
    payload = {
        "from": before.value,
        "to": state.value,
        "on": on.isoformat(),
        "reason": digest_text(reason.strip()),
    }
    note(current, Event.STATE_CHANGED, payload, actor)
    return current


def load(records: Iterable[Mapping[str, Any]], *, actor: User) -> list[Institution]:
    """Register the records that are not there yet, and return those registered.

    A record is a mapping of REGISTERED fields with plain values (dates as ISO strings, the town by its
    code). One whose USCC, or else whose name, stands in the register already is left as it is there,
    so loading twice keeps what people changed in between.
    """
    towns = {town.code: town for town in Town.objects.all()}
    with transaction.atomic():
        known = set(Institution.objects.exclude(uscc=None).values_list("uscc", flat=True))
        names = set(Institution.objects.values_list("name", flat=True))
        entered = []
        for record in records:
            if record.get("uscc") in known or record["name"] in names:
                continue
            entered.append(register(actor=actor, **record | {"town": towns[record["town"]]}))
            names.add(record["name"])
        return entered


def locked(institution: Institution) -> Institution:
    """The institution as it stands now, locked. Raises DomainError for one that was merged away."""
    current = (
        Institution.objects.select_for_update(of=("self",))
        .select_related("merged_into")
        .get(pk=institution.pk)
    )
    if current.merged_into:
        raise DomainError(f"“{current.name}”已并入“{current.merged_into.name}”，不能再变更。")
    return current


def _set(institution: Institution, fields: dict[str, Any]) -> None:
    unknown = set(fields) - set(REGISTERED)
    if unknown:
        raise TypeError(f"not in the register: {', '.join(sorted(unknown))}")
    if "uscc" in fields:
        fields["uscc"] = check_uscc(fields["uscc"]) or None
    if "features" in fields:
        given = set(fields["features"])
        if given - set(Feature.values):
            raise DomainError("有不认识的机构特征。", fields={"features": "请从列出的特征中选择"})
        fields["features"] = [feature for feature in Feature.values if feature in given]
    for name, value in fields.items():
        setattr(institution, name, value)
    try:
        # Turns ISO strings into dates and checks lengths and choices.
        institution.clean_fields()
    except ValidationError as error:
        messages = {name: "".join(texts) for name, texts in error.message_dict.items()}
        labels = "、".join(Institution._meta.get_field(name).verbose_name for name in messages)
        raise DomainError(f"登记信息有误：{labels}。", fields=messages) from error
    if institution.rating is not None and institution.rating not in RATINGS:
        raise DomainError("等级评定应为1至5星。", fields={"rating": "应为1至5星"})
    if institution.floor_area is not None and institution.floor_area < 0:
        raise DomainError("建筑面积不能小于0。", fields={"floor_area": "不能小于0"})
    wrong = contradictions(said_by(institution))
    if wrong:
        raise DomainError("".join(wrong.values()), fields=wrong)


def _save(institution: Institution) -> None:
    holder = Institution.objects.filter(uscc=institution.uscc).exclude(pk=institution.pk).first()
    if institution.uscc and holder:
        raise uscc_error(f"统一社会信用代码 {institution.uscc} 已由“{holder.name}”登记。")
    if not institution.code:
        institution.temporary_number = temporary_numbers(institution.town.code[:6], 1)[0]
    taken = uscc_error(f"统一社会信用代码 {institution.uscc} 刚被其他机构登记，请刷新后再试。")
    with refusing("institutions_institution_uscc_key", taken):
        institution.save()
