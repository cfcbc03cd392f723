"""Publish a draft, retire what is in force, throw a draft away, and say what was in force when."""

from datetime import date, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Subquery
from django.utils import timezone

from core.digests import default_algorithm, digest_json, digest_text
from core.errors import DomainError
from departments.models import User
from ledger import services as ledger
from scenarios.enums import VERSION_TRANSITIONS, Event, VersionState
from scenarios.models import (
    CheckItem,
    CheckItemText,
    MatrixRow,
    PenaltyItem,
    PenaltyItemText,
    PublishedItem,
    PublishedPenalty,
    Scenario,
    ScenarioVersion,
)
from scenarios.permissions import require_editing
from scenarios.services.items import never_touched, require_in_use
from scenarios.services.participants import ask_for_contacts
from scenarios.services.uploads import forget_file

# The texts a version copies: everything an item says, nothing about whose it is or how long it lives.
CHECK_FIELDS = [field.name for field in CheckItemText._meta.fields]
PENALTY_FIELDS = [field.name for field in PenaltyItemText._meta.fields]


@transaction.atomic
def publish(version: ScenarioVersion, *, actor: User, effective_from: date | None = None) -> ScenarioVersion:
    """Freeze a draft: its items' and penalties' texts are copied into it and never change again.

    The version in force until now is retired with the day before as its last. `effective_from` is
    today by default; a scenario's first version may name an earlier day (that of the document),
    later ones not, since inspections of those days ran under the version before. Raises DomainError
    for a version that is no draft, has no rows or leans on retired items, PermissionDenied.
    """
    today = timezone.localdate()
    effective_from = effective_from or today
    scenario, version = _locked(version)
    require_editing(actor, scenario)
    _require_transition(version, VersionState.PUBLISHED)
    before = scenario.versions.filter(state=VersionState.PUBLISHED).first()
    if effective_from > today:
        raise DomainError(
            "生效日期不能晚于今天，请在生效当日发布。", fields={"effective_from": "不能晚于今天"}
        )
    if before and effective_from != today:
        raise DomainError(
            f"第{before.number}版正在施行，新版本只能自今日起生效。", fields={"effective_from": "只能是今天"}
        )
    ruled = scenario.versions.filter(effective_until__gte=effective_from).order_by("-effective_until").first()
    if ruled:
        last = f"{ruled.effective_until:%Y-%m-%d}"
        raise DomainError(
            f"第{ruled.number}版施行至 {last}，新版本只能自次日起生效。",
            fields={"effective_from": f"须晚于 {last}"},
        )
    rows = list(version.rows.select_related("check_department", "penalty_department"))
    if not rows:
        raise DomainError("这一版没有事项，不能发布。")
    require_in_use(version)
    _copy_texts(version)
    if before:
        _retire(before, scenario, last_day=effective_from - timedelta(days=1), actor=actor)
    version.digest = digest_json(content(version))
    version.state = VersionState.PUBLISHED
    version.effective_from = effective_from
    version.published_at = timezone.now()
    version.published_by = actor
    version.save()
    ledger.append(
        scenario.subject,
        Event.PUBLISHED,
        {
            "version": version.pk,
            "number": version.number,
            "rows": len(rows),
            "effective_from": effective_from.isoformat(),
            "digest": version.digest,
            "algorithm": default_algorithm(),
            "file": version.source_file.digest if version.source_file else "",
        },
        actor=actor.key,
        department=scenario.lead_department.key,
    )
    ask_for_contacts(scenario)
    return version


@transaction.atomic
def retire(version: ScenarioVersion, *, actor: User, last_day: date, reason: str) -> ScenarioVersion:
    """Take a version out of force without a successor; `last_day` is the last it rules, today at the latest.

    Nothing new starts on it from now on; joint inspections that run keep it. Raises DomainError for a
    version that is not in force, a day before it began or after today, or without a reason;
    PermissionDenied.
    """
    scenario, version = _locked(version)
    require_editing(actor, scenario)
    _require_transition(version, VersionState.RETIRED)
    if not reason.strip():
        raise DomainError("请填写停用原因。", fields={"reason": "请填写停用原因。"})
    if last_day > timezone.localdate():
        raise DomainError("最后一天不能晚于今天，请在当日停用。", fields={"last_day": "不能晚于今天"})
    if last_day < version.effective_from:
        since = f"{version.effective_from:%Y-%m-%d}"
        raise DomainError(
            f"这一版自 {since} 起施行，最后一天不能更早。", fields={"last_day": f"不能早于 {since}"}
        )
    _retire(version, scenario, last_day=last_day, actor=actor, reason=reason.strip())
    return version


def version_in_force(theme: str) -> ScenarioVersion | None:
    """The published version of the scenario of this name."""
    versions = ScenarioVersion.objects.filter(scenario__name=theme, state=VersionState.PUBLISHED)
    return versions.select_related("scenario").first()


def baseline(version: ScenarioVersion) -> ScenarioVersion | None:
    """What a version is compared with unless told otherwise.

    For a draft the version in force, or else the last that was; for any other the one it followed.
    """
    others = version.scenario.versions.exclude(state=VersionState.DRAFT)
    if not version.is_draft:
        others = others.filter(published_at__lt=version.published_at)
    return others.order_by("-published_at").first()


@transaction.atomic
def discard(version: ScenarioVersion, *, actor: User) -> None:
    """Throw a draft away, with its file and with library items that nothing else ever used.

    Raises DomainError for a version that is no draft, PermissionDenied.
    """
    scenario, version = _locked(version)
    require_editing(actor, scenario)
    if not version.is_draft:
        raise DomainError(f"{version}{version.get_state_display()}，不能废弃。")
    checks = list(version.rows.values_list("check_item", flat=True))
    penalties = list(version.rows.values_list("penalty_item", flat=True))
    key, number, source = version.pk, version.number, version.source_file
    version.delete()
    used = MatrixRow.objects.filter(check_item=OuterRef("pk"))
    # An import fills in basis, method and content; guide and procedure somebody wrote.
    unused = CheckItem.objects.filter(~Exists(used), pk__in=checks, guide="", procedure="")
    never_touched(unused).delete()
    used = MatrixRow.objects.filter(penalty_item=OuterRef("pk"))
    unused = PenaltyItem.objects.filter(
        ~Exists(used), pk__in=penalties, basis="", penalty_range="", delegations=None
    )
    never_touched(unused).delete()
    if source:
        forget_file(source)
    ledger.append(
        scenario.subject,
        Event.DISCARDED,
        {"version": key, "number": number, "file": source.digest if source else ""},
        actor=actor.key,
        department=scenario.lead_department.key,
    )


def content(version: ScenarioVersion) -> dict:
    """Everything a version says, as one JSON value: what its digest stands for."""
    rows = version.rows.select_related("check_department", "penalty_department").order_by("position")
    return {
        "title": version.title,
        "layout": version.layout,
        "rows": [
            {
                "line": row.line,
                "part": row.part,
                "cells": row.cells,
                "inferred": row.inferred,
                "check_department": row.check_department.code,
                "penalty_body": row.penalty_body,
                "penalty_department": row.penalty_department.code if row.penalty_department else "",
                "delegation_list": row.delegation_list,
            }
            for row in rows
        ],
        "items": list(
            version.items.order_by("department__code", "name").values("department__code", *CHECK_FIELDS)
        ),
        "penalties": list(version.penalties.order_by("name").values(*PENALTY_FIELDS)),
    }


def _locked(version: ScenarioVersion) -> tuple[Scenario, ScenarioVersion]:
    """The scenario first, so that two drafts of one scenario are never published side by side."""
    scenario = (
        Scenario.objects.select_for_update(of=["self"])
        .select_related("lead_department")
        .get(pk=version.scenario_id)
    )
    locked = ScenarioVersion.objects.select_for_update(of=["self"]).select_related("source_file")
    version = locked.filter(pk=version.pk).first()
    if version is None:
        raise DomainError("这份草稿已被废弃。")
    version.scenario = scenario
    return scenario, version


def _require_transition(version: ScenarioVersion, state: VersionState) -> None:
    if state not in VERSION_TRANSITIONS[VersionState(version.state)]:
        raise DomainError(f"{version}{version.get_state_display()}，不能变更为{state.label}。")


def _copy_texts(version: ScenarioVersion) -> None:
    """Library texts into the version, and its rows linked to their copies: four statements."""
    items = CheckItem.objects.filter(rows__version=version).distinct()
    PublishedItem.objects.bulk_create(
        PublishedItem(
            version=version,
            check_item=item,
            department_id=item.department_id,
            **{name: getattr(item, name) for name in CHECK_FIELDS},
        )
        for item in items
    )
    penalties = PenaltyItem.objects.filter(rows__version=version).distinct()
    PublishedPenalty.objects.bulk_create(
        PublishedPenalty(
            version=version, penalty_item=item, **{name: getattr(item, name) for name in PENALTY_FIELDS}
        )
        for item in penalties
    )
    item = PublishedItem.objects.filter(version=version, check_item=OuterRef("check_item")).values("pk")
    penalty = PublishedPenalty.objects.filter(version=version, penalty_item=OuterRef("penalty_item")).values(
        "pk"
    )
    version.rows.update(item=Subquery(item), penalty=Subquery(penalty))


def _retire(
    version: ScenarioVersion, scenario: Scenario, *, last_day: date, actor: User, reason: str = ""
) -> None:
    _require_transition(version, VersionState.RETIRED)
    version.state = VersionState.RETIRED
    version.effective_until = last_day
    version.retired_reason = reason
    version.save(update_fields=["state", "effective_until", "retired_reason"])
    payload = {"version": version.pk, "number": version.number, "effective_until": last_day.isoformat()}
    ledger.append(
        scenario.subject,
        Event.RETIRED,
        payload | ({"reason": digest_text(reason)} if reason else {}),
        actor=actor.key,
        department=scenario.lead_department.key,
    )
