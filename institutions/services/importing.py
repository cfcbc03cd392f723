"""机构名录 as a workbook: its columns, how a row is found again, and how rows are written in sets."""

import json
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from django.db import connection
from django.utils import timezone

from core.models import ImportRun
from core.registers import Column, Existing, Findings, Register, Row, Values
from core.registers.judging import alike, require_same
from departments.models import Town, User
from institutions.enums import TRANSITIONS, Event, OperatingState
from institutions.models import Institution
from institutions.permissions import require_keeper
from institutions.services import codes, entries
from institutions.services.columns import STATE_PAGE, columns
from institutions.services.matching import Known, among, said_of
from institutions.services.register import set_operating_state
from institutions.services.rules import contradictions
from ledger import services as ledger

# What a new row says where its workbook says nothing.
BLANK: Values = dict.fromkeys(entries.REGISTERED) | {
    **dict.fromkeys((*entries.TEXTUAL, *entries.PERSONAL), ""),
    **dict.fromkeys(("legal_form", "credit_class", "fire_approval", "medical_service"), ""),
    "features": [],
    "beds": 0,
    "operating_state": OperatingState.OPERATING.value,
}
WRITTEN = [Institution._meta.get_field(name).column for name in entries.REGISTERED]
ADDED = ("key", "temporary_number", "created_at", "changed_at")
COPY = f"COPY institutions_institution ({', '.join((*WRITTEN, *ADDED))}) FROM STDIN"


class InstitutionRegister(Register):
    name = "institutions"
    title = "机构名录"
    unit = "家"
    key_fields = ("uscc", "temporary_number", "name")
    read_task = "institutions.tasks.read_import"
    write_task = "institutions.tasks.write_import"

    def require(self, user: User) -> None:
        require_keeper(user)

    def columns(self, actor: str) -> list[Column]:
        return columns()

    def key(self, values: Values) -> str:
        """Rows about one institution have one of these in common; towns have namesakes."""
        named = f"{values.get('name', '')}·{values.get('town', '')}"
        return values.get("uscc") or values.get("temporary_number") or (named if values.get("name") else "")

    def match(self, rows: Sequence[Values]) -> list[Existing | None]:
        """By code, else by temporary number, else by name and town (docs/registers.md says why)."""
        known = Known(rows)
        return [known.find(values) for values in rows]

    def check(self, values: Values, existing: Existing | None) -> Findings:
        found = Findings()
        if existing is None and values.get("temporary_number"):
            found.errors["temporary_number"] = "名录里没有这个临时编号；新机构请留空，登记时自动编号"
        if existing is None and not values.get("filing_state"):
            found.errors["filing_state"] = "新登记的机构须填写备案状态"
        if values.get("uscc") and (doubt := codes.doubt_about(values["uscc"])):
            found.remarks["uscc"] = doubt
        said = BLANK | (existing.values if existing else {}) | values
        for name, sentence in contradictions(said).items():
            found.errors[name] = sentence.removesuffix("。")
        found.errors.update(_wrong_state(values, existing))
        return found

    def check_together(self, run: ImportRun) -> Iterator[tuple[int, dict[str, str]]]:
        """A row that can only be found by name and town, beside another of that name there."""
        for row, other in alike(run, "name", "town"):
            if not (row.values.get("uscc") or row.values.get("temporary_number")):
                yield row.line, {"name": f"与第{other}行同名同镇街，请填信用代码或临时编号，或删去重复的行"}

    def write(self, run: ImportRun, rows: Sequence[Row]) -> None:
        """Inserts and updates of a chunk in one statement each, with an entry on every chain."""
        actor = _actor(run)
        matched = self.match([row.values for row in rows])
        now = said_of(
            Institution.objects.select_for_update(of=("self",)).filter(
                pk__in=among((known.pk for known in matched if known), "bigint")
            )
        )
        new, changes, steps = [], [], []
        for row, known in zip(rows, matched, strict=True):
            if known and known.pk:
                known = Existing(known.pk, now[known.pk])
            require_same(self, row, known)
            values = {name: row.values[name] for name in entries.REGISTERED if name in row.values}
            if known is None:
                new.append(BLANK | values)
                continue
            before = now[known.pk]
            state = values.pop("operating_state", before["operating_state"])
            after = {name: before[name] for name in entries.REGISTERED} | values
            if payload := entries.changed(before, after):
                changes.append((known.pk, before["key"], after, payload))
            if state != before["operating_state"]:
                steps.append((known.pk, state, row.values))
        records = [*_insert(new), *_update(changes)]
        for record in records:
            record.payload["import"] = str(run.pk)
        ledger.append_many(records, **entries.by(actor))
        for pk, state, values in steps:
            set_operating_state(
                Institution(pk=pk),
                state,
                actor=actor,
                reason=values["state_reason"],
                on=date.fromisoformat(values["state_on"]),
            )

    def finish(self, run: ImportRun) -> None:
        counts = {"new": run.new, "changed": run.changed, "unchanged": run.unchanged}
        left_out = {"left_out": run.faulty} if run.leaves_out else {}
        unwritten = {"unwritten": run.unwritten} if run.unwritten else {}
        payload = {
            "import": str(run.pk),
            "file": run.file.digest,
            "digest_algorithm": run.file.algorithm,
            **counts,
            **left_out,
            **unwritten,
        }
        ledger.append(f"register:{self.name}", Event.IMPORTED, payload, **entries.by(_actor(run)))


INSTITUTIONS = InstitutionRegister()


def _wrong_state(values: Values, existing: Existing | None) -> dict[str, str]:
    """An operating state changes on a day and for a reason, never by the way."""
    state = values.get("operating_state")
    if not (existing and existing.pk and state) or state == existing.values["operating_state"]:
        return {}
    before = OperatingState(existing.values["operating_state"])
    if not (values.get("state_on") and values.get("state_reason")):
        return {"operating_state": f"名录里为{before.label}；{STATE_PAGE}"}
    if state not in TRANSITIONS[before]:
        return {"operating_state": f"名录里为{before.label}，不能改为{OperatingState(state).label}"}
    return {}


def _insert(rows: list[Values]) -> list[ledger.Record]:
    """New institutions, each with a key and those without a code with a temporary number."""
    if not rows:
        return []
    for county, waiting in _without_code(rows).items():
        numbers = codes.temporary_numbers(county, len(waiting))
        for values, number in zip(waiting, numbers, strict=True):
            values["temporary_number"] = number
    for values in rows:
        values["key"] = str(uuid.uuid4())
    towns = dict(Town.objects.values_list("code", "pk"))
    now = timezone.now()
    with connection.cursor() as cursor, cursor.copy(COPY) as copy:
        for values in rows:
            stored = values | {
                "town": towns[values["town"]],
                # As PostgreSQL writes an array of plain words.
                "features": f"{{{','.join(values['features'])}}}",
            }
            said = (stored[name] for name in entries.REGISTERED)
            copy.write_row((*said, values["key"], values.get("temporary_number"), now, now))
    return [
        ledger.Record(
            f"institution:{values['key']}", Event.REGISTERED, entries.registered(values["key"], values)
        )
        for values in rows
    ]


def _update(changes: list[tuple[int, uuid.UUID, Values, dict]]) -> list[ledger.Record]:
    """Changed institutions, by primary key; the caller holds their locks."""
    if not changes:
        return []
    _execute(
        f"""
        UPDATE institutions_institution AS old
        SET ({_names(WRITTEN)}, changed_at) = ROW ({_names(f"new.{name}" for name in WRITTEN)}, %s)
        FROM jsonb_populate_recordset(NULL::institutions_institution, %s::jsonb) AS new
        WHERE old.id = new.id
        """,  # noqa: S608  names of our own columns
        [timezone.now(), _as_records({"id": pk, **after} for pk, _, after, _ in changes)],
    )
    return [ledger.Record(f"institution:{key}", Event.CHANGED, payload) for _, key, _, payload in changes]


def _without_code(rows: list[Values]) -> dict[str, list[Values]]:
    waiting = defaultdict(list)
    for values in rows:
        if not values["uscc"]:
            waiting[values["town"][:6]].append(values)
    return waiting


def _as_records(rows: Iterable[Values]) -> str:
    """The rows as a JSON array of table rows."""
    towns = dict(Town.objects.values_list("code", "pk"))
    return json.dumps([row | {"town_id": towns[row["town"]]} for row in rows], ensure_ascii=False)


def _names(columns: Iterable[str]) -> str:
    return ", ".join(columns)


def _execute(sql: str, params: list) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def _actor(run: ImportRun) -> User:
    return User.objects.get(pk=run.actor.removeprefix("user:"))
