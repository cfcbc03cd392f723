"""Verbs of the register: register, change, set the operating state, recuse; each leaves a ledger entry.

Ledger payloads name what changed. Codes, numbers and dates stand there in clear, names and addresses
as digests, and fields about persons by name only: a digest of a phone number is as good as the number.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from stdnum.cn import uscc as uscc_rules

from core.digests import digest_json
from core.errors import DomainError
from departments.models import Officer, Town, User
from institutions.enums import TRANSITIONS, Event, Feature, FilingState, OperatingState
from institutions.models import Institution, Recusal, StateChange
from institutions.permissions import require_keeper, require_recusal_right
from ledger import services as ledger

USCC_LENGTH = 18
USCC_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
RATINGS = range(1, 6)
PERSONAL = ("contact_name", "contact_phone", "legal_representative")
TEXTUAL = ("name", "address")
PLAIN = (
    "uscc", "kind", "town", "beds", "floor_area", "filing_state", "filed_on", "opened_on", "operating_state",
    "features", "credit_class", "rating",
)  # fmt: skip
REGISTERED = (*TEXTUAL, *PLAIN, *PERSONAL)


def check_uscc(text: str) -> str:
    """The code in its written form (18 characters, upper case), or "" for none given.

    Raises DomainError on field `uscc` saying what is wrong: length, a character the code never has
    (GB 32100-2015 leaves out I, O, S, V, Z) or the check digit.
    """
    code = "".join(unicodedata.normalize("NFKC", text or "").split()).replace("-", "").upper()
    if not code:
        return ""
    if len(code) != USCC_LENGTH:
        raise _uscc_error(f"统一社会信用代码应为{USCC_LENGTH}位，现为{len(code)}位。")
    for position, char in enumerate(code, start=1):
        if char not in USCC_CHARACTERS:
            raise _uscc_error(
                f"统一社会信用代码第{position}位“{char}”有误：只用数字和字母，不用 I、O、S、V、Z。"
            )
    if not code[2:8].isdigit():
        raise _uscc_error("统一社会信用代码第3至8位应为6位行政区划代码。")
    # Not `validate`: it knows no registering authority but digits, and village collectives have N.
    if uscc_rules.calc_check_digit(code[:-1]) != code[-1]:
        raise _uscc_error("统一社会信用代码的校验位不符，请核对是否抄错。")
    return code


@transaction.atomic
def register(*, actor: User, **fields: Any) -> Institution:
    """Enter an institution into the register; `fields` are those of REGISTERED, `town` a Town.

    Raises PermissionDenied unless the actor keeps the register, DomainError naming the field.
    """
    require_keeper(actor)
    institution = Institution()
    _set(institution, fields)
    _save(institution)
    payload = {
        "institution": str(institution.key),
        **_snapshot(institution, PLAIN),
        "digest": row_digest(institution),
    }
    _note(institution, Event.REGISTERED, payload, actor)
    return institution


@transaction.atomic
def change(institution: Institution, *, actor: User, **fields: Any) -> Institution:
    """Change what the register says; nothing is written when nothing differs.

    The operating state has its own verb, since it needs a day and a reason. Raises as `register`.
    """
    require_keeper(actor)
    if "operating_state" in fields:
        raise TypeError("use set_operating_state")
    current = Institution.objects.select_for_update().get(pk=institution.pk)
    before = {name: getattr(current, name) for name in REGISTERED}
    _set(current, fields)
    changed = [name for name in REGISTERED if getattr(current, name) != before[name]]
    if not changed:
        return current
    old = _snapshot(Institution(**before), PLAIN)
    _save(current)
    new = _snapshot(current, PLAIN)
    payload = {
        "changed": changed,
        "values": {name: [old[name], new[name]] for name in changed if name in PLAIN},
        "digest": row_digest(current),
    }
    _note(current, Event.CHANGED, payload, actor)
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
    current = Institution.objects.select_for_update().get(pk=institution.pk)
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
        "reason": digest_json(reason.strip()),
    }
    _note(current, Event.STATE_CHANGED, payload, actor)
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
        registered = []
        for record in records:
            if record.get("uscc") in known or record["name"] in names:
                continue
            registered.append(register(actor=actor, **record | {"town": towns[record["town"]]}))
            names.add(record["name"])
        return registered


@transaction.atomic
def recuse(officer: Officer, institution: Institution, *, actor: User, reason: str) -> Recusal:
    """This officer must not inspect this institution (行政处罚法第43条); said twice it stands once.

    Raises PermissionDenied unless the officer or their department's administrator says so.
    """
    require_recusal_right(actor, officer)
    if not reason.strip():
        raise DomainError("请填写回避事由。", fields={"reason": "请填写回避事由"})
    recusal, created = Recusal.objects.get_or_create(
        officer=officer, institution=institution, defaults={"reason": reason.strip()}
    )
    if created:
        payload = {
            "officer": officer.key,
            "since": recusal.since.isoformat(),
            "reason": digest_json(recusal.reason),
        }
        _note(institution, Event.RECUSED, payload, actor)
    return recusal


@transaction.atomic
def end_recusal(recusal: Recusal, *, actor: User) -> None:
    """Take a recusal back; the ledger keeps that it was."""
    require_recusal_right(actor, recusal.officer)
    _note(recusal.institution, Event.RECUSAL_ENDED, {"officer": recusal.officer.key}, actor)
    recusal.delete()


def row_digest(institution: Institution) -> str:
    """Digest of what the register says, without the persons: their data may be erased later."""
    return digest_json(_snapshot(institution, (*TEXTUAL, *PLAIN)))


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
    if institution.filing_state == FilingState.FILED and not institution.filed_on:
        raise DomainError("已备案的机构须填写备案日期。", fields={"filed_on": "请填写备案日期"})
    try:
        # Turns ISO strings into dates and checks lengths and choices.
        institution.clean_fields()
    except ValidationError as error:
        messages = {name: "".join(texts) for name, texts in error.message_dict.items()}
        labels = "、".join(Institution._meta.get_field(name).verbose_name for name in messages)
        raise DomainError(f"登记信息有误：{labels}。", fields=messages) from error
    if institution.filed_on and institution.filed_on > timezone.localdate():
        raise DomainError("备案日期不能晚于今天。", fields={"filed_on": "不能晚于今天"})
    if institution.rating is not None and institution.rating not in RATINGS:
        raise DomainError("等级评定应为1至5星。", fields={"rating": "应为1至5星"})
    if institution.floor_area is not None and institution.floor_area < 0:
        raise DomainError("建筑面积不能小于0。", fields={"floor_area": "不能小于0"})


def _save(institution: Institution) -> None:
    holder = Institution.objects.filter(uscc=institution.uscc).exclude(pk=institution.pk).first()
    if institution.uscc and holder:
        raise _uscc_error(f"统一社会信用代码 {institution.uscc} 已由“{holder.name}”登记。")
    try:
        with transaction.atomic():
            institution.save()
    except IntegrityError as error:
        if "uscc" not in str(error):
            raise
        # Somebody registered the same code between the look and the save.
        raise _uscc_error(f"统一社会信用代码 {institution.uscc} 刚被其他机构登记，请刷新后再试。") from error


def _snapshot(institution: Institution, names: Iterable[str]) -> dict[str, Any]:
    """The fields as JSON values without floats; texts as digests."""
    return {name: _plain(getattr(institution, name), textual=name in TEXTUAL) for name in names}


def _plain(value: Any, *, textual: bool) -> Any:
    if textual:
        return digest_json(value)
    if isinstance(value, Town):
        return value.code
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    return value


def _note(institution: Institution, event: Event, payload: dict[str, Any], actor: User) -> None:
    department = actor.own_department
    ledger.append(
        institution.subject, event, payload, actor=actor.key, department=department.key if department else ""
    )


def _uscc_error(message: str) -> DomainError:
    return DomainError(message, fields={"uscc": message})
