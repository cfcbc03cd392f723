"""赋权清单 as a workbook: one line a town, penalty item and period; the import reads back what the export wrote."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils import timezone

from core.enums import Verdict
from core.errors import DomainError
from core.models import ImportRun
from core.registers import Column, Existing, Findings, Register, Row, Values, day, one_of, text
from core.registers.columns import Kind, as_day, as_text, plain
from departments.enums import Role
from departments.models import Department, Town, User
from scenarios.enums import DelegationList, Event, PenaltyBodyKind
from scenarios.models import Delegation, MatrixRow, PenaltyItem
from scenarios.permissions import NOT_THEIRS, may_delegate, may_dispose_of
from scenarios.services.delegations.changing import confirm_delegation, end_delegation, prolong_delegation
from scenarios.services.delegations.granting import delegate_to_towns, lists_of
from scenarios.services.delegations.records import leads, leads_by_item, record

OPEN_ENDED = "长期"
# How other systems write that there is no last day.
NEVER = "9999-12-31"


class DelegationRegister(Register):
    """Key: town, penalty item and first day. A new key is a new period; for a known one the last day and the
    number of the 承接确认书 may change, everything else is corrected on its page."""

    name = "delegations"
    title = "赋权清单"
    unit = "项"
    key_fields = ("town", "penalty_item", "valid_from")
    read_task = "scenarios.tasks.read_delegations"
    write_task = "scenarios.tasks.write_delegations"

    def require(self, user: User) -> None:
        if not may_delegate(user):
            raise PermissionDenied(NOT_THEIRS)

    def columns(self, actor: str) -> list[Column]:
        user = User.objects.get(pk=actor.removeprefix("user:"))
        return columns_of(_items_for(user))

    def match(self, rows: Sequence[Values]) -> list[Existing | None]:
        """The period with the row's first day, else the first one the row's period shares a day with."""
        towns = {row.get("town") for row in rows}
        items = {row.get("penalty_item") for row in rows}
        held: dict[tuple[int, int], list[Delegation]] = {}
        found = Delegation.objects.current().filter(town__in=towns, penalty_item__in=items)
        for delegation in found.order_by("valid_from"):
            held.setdefault((delegation.town_id, delegation.penalty_item_id), []).append(delegation)
        return [_matched(row, held.get((row.get("town"), row.get("penalty_item")), [])) for row in rows]

    def check(self, values: Values, existing: Existing | None) -> Findings:
        found = Findings()
        first, last = values.get("valid_from"), values.get("valid_until")
        if first and last and last < first:
            found.errors["valid_until"] = "早于起始日期"
        elif existing and existing.values["valid_from"] != first:
            until = existing.values["valid_until"]
            period = f"自 {existing.values['valid_from']} {f'至 {until}' if until else '起'}"
            found.errors["valid_from"] = f"与已登记的{period}的赋权重叠"
        elif existing:
            found.errors |= _unchangeable(values, existing.values)
        return found

    def check_together(self, run: ImportRun) -> Iterator[tuple[int, dict[str, str]]]:
        """Items in a list they do not belong to, and new periods of one file that share a day."""
        rows = list(run.rows.filter(errors={}).order_by("line"))
        named = lists_of({row.values["penalty_item"] for row in rows})
        periods: dict[tuple[int, int], list[tuple[int, str, str | None]]] = {}
        for row in rows:
            values = row.values
            allowed = named.get(values["penalty_item"], set())
            if allowed - {""} and values["delegation_list"] not in allowed:
                labels = "、".join(DelegationList(listing).label for listing in sorted(allowed - {""}))
                yield row.line, {"delegation_list": f"事项清单把这项处罚列入{labels}"}
                continue
            first, last = values["valid_from"], values.get("valid_until")
            others = periods.setdefault((values["town"], values["penalty_item"]), [])
            for line, begins, ends in others:
                if (ends is None or ends >= first) and (last is None or last >= begins):
                    yield row.line, {"valid_from": f"与第{line}行的期限重叠"}
                    break
            # What the register has already was compared with each row before.
            if row.verdict == Verdict.NEW or "valid_until" in row.before:
                others.append((row.line, first, last))

    def write(self, run: ImportRun, rows: Sequence[Row]) -> None:
        actor = User.objects.get(pk=run.actor.removeprefix("user:"))
        list(Town.objects.select_for_update().order_by("pk"))
        granted = []
        for row, known in zip(rows, self.match([row.values for row in rows]), strict=True):
            if known is None:
                granted.append(row.values)
            elif known.values["valid_from"] != row.values["valid_from"]:
                raise DomainError(f"第{row.line}行的期限与刚刚登记的赋权重叠，请重新上传核对。")
            else:
                _change(Delegation.objects.get(pk=known.pk), row.values, actor)
        _grant(granted, actor)

    def finish(self, run: ImportRun) -> None:
        actor = User.objects.get(pk=run.actor.removeprefix("user:"))
        written = run.rows.filter(verdict__in=[Verdict.NEW, Verdict.CHANGED])
        items = set(written.values_list("values__penalty_item", flat=True))
        counts = {"new": run.new, "changed": run.changed, "left_out": run.faulty}
        unwritten = {"unwritten": run.unwritten} if run.unwritten else {}
        payload = {"run": str(run.pk), "file": run.file.digest, **counts, **unwritten}
        record(leads(items), Event.DELEGATIONS_IMPORTED, payload, actor)


DELEGATIONS = DelegationRegister()


def columns_of(items: Mapping[int, str]) -> list[Column]:
    """The columns of the workbook, for these penalty items (id → name)."""
    towns = dict(Town.objects.values_list("pk", "name"))
    offices = Department.objects.filter(town__isnull=False).values_list("name", "town")
    return [
        Column("town", "镇街", one_of(towns, aliases=dict(offices)), required=True, example="英林镇"),
        Column(
            "penalty_item",
            "处罚事项",
            _item_kind(items),
            aliases=("行政处罚事项", "赋权事项"),
            required=True,
            example="对占用、堵塞、封闭疏散通道、安全出口的行政处罚",
            note="与事项清单所印文字一致。",
            width=48,
        ),
        Column(
            "delegation_list",
            "清单",
            one_of(
                dict(DelegationList.choices), aliases={"一般": "GENERAL", "消防": "FIRE", "消防赋权": "FIRE"}
            ),
            aliases=("赋权清单",),
            required=True,
            example=DelegationList.FIRE.label,
        ),
        Column(
            "valid_from", "自", day(), aliases=("起始日期", "生效日期"), required=True, example="2024-12-02"
        ),
        Column(
            "valid_until",
            "至",
            _last_day(),
            aliases=("截止日期", "终止日期"),
            example="2026-12-31",
            note="最后一天，含当日；空白或填“长期”即长期有效。已登记的赋权，空白保持不变。",
        ),
        Column(
            "confirmation_number",
            "确认书编号",
            text(64),
            aliases=("承接确认书编号",),
            example="晋英政承〔2024〕1号",
            note="承接确认书的扫描件在赋权的页面上归档。",
            width=28,
        ),
    ]


def exported(delegations: Iterable[Delegation]) -> Iterator[Values]:
    """Delegations as lines of the workbook."""
    for delegation in delegations:
        yield _values(delegation)


def _values(delegation: Delegation) -> Values:
    until = delegation.valid_until
    return {
        "town": delegation.town_id,
        "penalty_item": delegation.penalty_item_id,
        "delegation_list": delegation.delegation_list,
        "valid_from": delegation.valid_from.isoformat(),
        "valid_until": until.isoformat() if until else None,
        "confirmation_number": delegation.confirmation_number,
    }


def _items_for(user: User) -> dict[int, str]:
    """The penalty items the account may hand over: those of matrices it leads, all for 系统管理员."""
    rows = MatrixRow.objects.exclude(penalty_body=PenaltyBodyKind.NONE)
    items = dict(PenaltyItem.objects.filter(rows__in=rows).distinct().values_list("pk", "name"))
    if user.holds(Role.SYSTEM_ADMIN):
        return items
    led = leads_by_item(items)
    return {pk: name for pk, name in items.items() if may_dispose_of(user, led[pk])}


def _item_kind(items: Mapping[int, str]) -> Kind:
    known = {plain(name): pk for pk, name in items.items()}

    def parse(cell: Any) -> int:
        try:
            return known[plain(as_text(cell))]
        except KeyError:
            raise ValueError("不在您可以登记赋权的处罚事项中，请与事项清单核对文字") from None

    return Kind(parse, lambda pk: items.get(pk, ""), "处罚事项的全称")


def _last_day() -> Kind:
    dated = day()

    def parse(cell: Any) -> str | None:
        if as_text(cell) == OPEN_ENDED or as_day(cell) == NEVER:
            return None
        return dated.parse(cell)

    return Kind(parse, dated.show, f"{dated.says}，或“{OPEN_ENDED}”")


def _matched(row: Values, periods: Sequence[Delegation]) -> Existing | None:
    first, last = row.get("valid_from"), row.get("valid_until")
    if not first:
        return None
    begins, ends = date.fromisoformat(first), date.fromisoformat(last) if last else None
    same = [period for period in periods if period.valid_from == begins]
    shared = [period for period in periods if period.shares_a_day(begins, ends)]
    for period in same or shared:
        later = [other.valid_from for other in periods if other.valid_from > period.valid_from]
        values = _values(period) | {"next_from": later[0].isoformat() if later else None}
        return Existing(period.pk, values)
    return None


def _unchangeable(values: Values, now: Values) -> dict[str, str]:
    """Why a known period cannot become what the row says, by field."""
    errors = {}
    if values.get("delegation_list", now["delegation_list"]) != now["delegation_list"]:
        errors["delegation_list"] = "与已登记的清单不同，请在这项赋权的页面上更正"
    last, until, today = values.get("valid_until"), now["valid_until"], timezone.localdate().isoformat()
    if "valid_until" not in values or last == until:
        return errors
    if until and until < today:
        errors["valid_until"] = f"已于 {until} 终止，请另行登记或在这项赋权的页面上更正"
    elif last and last < today:
        errors["valid_until"] = "终止日期不能早于今天"
    elif now["next_from"] and (last is None or last >= now["next_from"]):
        errors["valid_until"] = f"与自 {now['next_from']} 起的赋权重叠"
    return errors


def _change(delegation: Delegation, values: Values, actor: User) -> None:
    until = values.get("valid_until")
    until = date.fromisoformat(until) if until else None
    if "valid_until" in values and until != delegation.valid_until:
        if until and (delegation.valid_until is None or until < delegation.valid_until):
            delegation = end_delegation(delegation, valid_until=until, actor=actor)
        else:
            delegation = prolong_delegation(delegation, valid_until=until, actor=actor)
    number = values.get("confirmation_number", "")
    if number and number != delegation.confirmation_number:
        confirm_delegation(delegation, confirmation_number=number, actor=actor)


def _grant(rows: Sequence[Values], actor: User) -> None:
    """New periods, as few acts as there are: items that the same towns hold on the same terms together."""
    towns, items = Town.objects.in_bulk(), PenaltyItem.objects.in_bulk([row["penalty_item"] for row in rows])
    holders: dict[tuple, set[int]] = {}
    for row in rows:
        terms = (
            row["delegation_list"],
            row["valid_from"],
            row.get("valid_until"),
            row.get("confirmation_number", ""),
        )
        holders.setdefault((terms, row["penalty_item"]), set()).add(row["town"])
    together: dict[tuple, list[int]] = {}
    for (terms, item), held in holders.items():
        together.setdefault((terms, tuple(sorted(held))), []).append(item)
    for ((listing, first, last, number), held), given in together.items():
        delegate_to_towns(
            [towns[pk] for pk in held],
            [items[pk] for pk in given],
            DelegationList(listing),
            valid_from=date.fromisoformat(first),
            valid_until=date.fromisoformat(last) if last else None,
            confirmation_number=number,
            actor=actor,
        )
