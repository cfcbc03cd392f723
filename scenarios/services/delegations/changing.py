"""A delegation changes by a new entry that replaces the old one; what was routed before stays where it is."""

from collections.abc import Callable
from datetime import date
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from core import files
from core.digests import digest_text
from core.errors import DomainError, StaleError
from core.models import StoredFile
from departments.models import Town, User
from scenarios.enums import DelegationAct, DelegationList, Event
from scenarios.models import Delegation
from scenarios.permissions import require_delegating
from scenarios.services.delegations.granting import refuse_overlap, require_listed, require_order
from scenarios.services.delegations.records import leads, payload_of, record


@transaction.atomic
def end_delegation(delegation: Delegation, *, valid_until: date, reason: str = "", actor: User) -> Delegation:
    """The delegation holds until `valid_until`, that day included; findings of later days go elsewhere.

    Raises DomainError for a day before today or before its start (what was routed stays true) and
    for a delegation that ends sooner anyway, StaleError for an entry already replaced, PermissionDenied.
    """
    delegation = _locked(delegation, actor)
    if valid_until < max(timezone.localdate(), delegation.valid_from):
        raise DomainError(
            "终止日期不能早于今天，也不能早于赋权起始日期。", fields={"valid_until": "日期过早"}
        )
    if delegation.valid_until and delegation.valid_until <= valid_until:
        raise DomainError(
            f"这项赋权已定于 {delegation.valid_until} 终止。", fields={"valid_until": "不早于现定终止日期"}
        )
    return _replace(delegation, DelegationAct.ENDED, actor, valid_until=valid_until, reason=reason)


@transaction.atomic
def prolong_delegation(
    delegation: Delegation,
    *,
    valid_until: date | None,
    reason: str = "",
    confirmation: UploadedFile | StoredFile | None = None,
    confirmation_number: str = "",
    actor: User,
) -> Delegation:
    """The delegation goes on until a later day, or without an end.

    Raises DomainError for one that has run out (its findings went elsewhere since: delegate anew), for
    a day that is no later, and for one that another period of the town and item begins before; StaleError,
    PermissionDenied.
    """
    delegation = _locked(delegation, actor)
    if delegation.valid_until is None:
        raise DomainError("这项赋权长期有效，无须延长。")
    if delegation.valid_until < timezone.localdate():
        raise DomainError(f"这项赋权已于 {delegation.valid_until} 终止，请另行登记。")
    if valid_until and valid_until <= delegation.valid_until:
        raise DomainError(
            f"延长后的截止日期应晚于 {delegation.valid_until}。", fields={"valid_until": "应晚于现定截止日期"}
        )
    return _replace(
        delegation,
        DelegationAct.PROLONGED,
        actor,
        valid_until=valid_until,
        reason=reason,
        **_paper(delegation, confirmation, confirmation_number),
    )


@transaction.atomic
def correct_delegation(
    delegation: Delegation,
    *,
    valid_from: date,
    valid_until: date | None,
    delegation_list: DelegationList,
    reason: str,
    actor: User,
) -> Delegation:
    """An entry that was wrong when it was written is replaced by what should have been written.

    Findings routed from now on go by it, also those found on earlier days. Raises DomainError without
    a reason, when nothing changes, and as `delegate`; StaleError, PermissionDenied.
    """
    delegation = _locked(delegation, actor)
    _require_reason(reason, "更正")
    require_order(valid_from, valid_until)
    require_listed([delegation.penalty_item], delegation_list)
    now = (delegation.valid_from, delegation.valid_until, delegation.delegation_list)
    if now == (valid_from, valid_until, delegation_list):
        raise DomainError("起止日期和清单都没有改动，无须更正。")
    return _replace(
        delegation,
        DelegationAct.CORRECTED,
        actor,
        valid_from=valid_from,
        valid_until=valid_until,
        delegation_list=delegation_list,
        reason=reason,
    )


@transaction.atomic
def withdraw_delegation(delegation: Delegation, *, reason: str, actor: User) -> Delegation:
    """An entry that should never have been made no longer counts for any day; it stays in the history.

    Raises DomainError without a reason, StaleError, PermissionDenied.
    """
    delegation = _locked(delegation, actor)
    _require_reason(reason, "撤销")
    return _replace(delegation, DelegationAct.WITHDRAWN, actor, reason=reason, is_current=False)


@transaction.atomic
def confirm_delegation(
    delegation: Delegation,
    *,
    confirmation: UploadedFile | StoredFile | None = None,
    confirmation_number: str = "",
    actor: User,
) -> Delegation:
    """The town's 承接确认书 is filed afterwards, or a better scan of it, or its number is noted.

    Raises DomainError for a file that is no PDF or picture, and for neither file nor number; StaleError,
    PermissionDenied.
    """
    delegation = _locked(delegation, actor)
    if not confirmation and not confirmation_number:
        raise DomainError("请选择承接确认书的扫描件，或填写编号。")
    paper = _paper(delegation, confirmation, confirmation_number)
    return _replace(delegation, DelegationAct.CONFIRMED, actor, **paper)


def alike(delegation: Delegation) -> QuerySet[Delegation]:
    """The town's other delegations by the same list for the same period: mostly the rest of one 承接确认书."""
    return (
        Delegation.objects.current()
        .filter(
            town=delegation.town,
            delegation_list=delegation.delegation_list,
            valid_from=delegation.valid_from,
            valid_until=delegation.valid_until,
        )
        .exclude(pk=delegation.pk)
        .order_by("pk")
    )


@transaction.atomic
def change_together(
    verb: Callable[..., Delegation],
    delegation: Delegation,
    *,
    confirmation: UploadedFile | None = None,
    actor: User,
    **fields: Any,
) -> list[Delegation]:
    """One of the verbs above for a delegation and those `alike`: all of them or none. Refusals as the verb's."""
    if confirmation:
        fields["confirmation"] = files.store_document(confirmation)
    together = [delegation, *alike(delegation)]
    return [verb(each, actor=actor, **fields) for each in together]


def _locked(delegation: Delegation, actor: User) -> Delegation:
    """The entry as it stands, its town locked as `delegate` locks it."""
    Town.objects.select_for_update().get(pk=delegation.town_id)
    found = (
        Delegation.objects.select_for_update(of=["self"])
        .select_related("town", "penalty_item", "confirmation")
        .get(pk=delegation.pk)
    )
    require_delegating(actor, leads([found.penalty_item_id]))
    if not found.is_current:
        raise StaleError("这条赋权记录已被新的登记取代，请刷新后再试。")
    return found


def _require_reason(reason: str, verb: str) -> None:
    if not reason.strip():
        raise DomainError(f"请填写{verb}理由。", fields={"reason": f"请填写{verb}理由。"})


def _paper(
    delegation: Delegation, confirmation: UploadedFile | StoredFile | None, confirmation_number: str
) -> dict[str, Any]:
    """A new paper (kept already when several delegations share it), or the one there is."""
    if isinstance(confirmation, UploadedFile):
        confirmation = files.store_document(confirmation)
    return {
        "confirmation": confirmation or delegation.confirmation,
        "confirmation_number": confirmation_number or delegation.confirmation_number,
    }


def _replace(delegation: Delegation, act: DelegationAct, actor: User, **changes: Any) -> Delegation:
    kept = ("town", "penalty_item", "delegation_list", "valid_from", "valid_until")
    kept = (*kept, "confirmation", "confirmation_number")
    fields = {name: getattr(delegation, name) for name in kept} | changes
    if fields.get("is_current", True):
        others = Delegation.objects.filter(town=delegation.town, penalty_item=delegation.penalty_item)
        others = others.exclude(pk=delegation.pk)
        refuse_overlap(others.overlapping(fields["valid_from"], fields["valid_until"]))
    Delegation.objects.filter(pk=delegation.pk).update(is_current=False)
    new = Delegation.objects.create(**fields, act=act, replaces=delegation, recorded_by=actor)
    payload = {
        "delegation": new.pk,
        "replaces": delegation.pk,
        "act": str(act),
        "town": new.town.code,
        "penalty_item": new.penalty_item_id,
        "reason_digest": digest_text(new.reason),
        **payload_of(new),
    }
    event = Event.DELEGATION_ENDED if act == DelegationAct.ENDED else Event.DELEGATION_CHANGED
    record(leads([new.penalty_item_id]), event, payload, actor)
    return new
