"""A workbook becomes a draft version: all of it, or nothing."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Max

from core import files
from core.digests import digest_bytes
from core.errors import DomainError
from core.models import StoredFile
from core.spreadsheets import open_workbook
from departments import services as departments
from departments.enums import Role
from departments.models import Department, Sector, User
from ledger import services as ledger
from scenarios import permissions
from scenarios.enums import STANDARD_COLUMNS, ColumnRole, Event, PenaltyBodyKind
from scenarios.models import CheckItem, MatrixRow, PenaltyItem, Scenario, ScenarioVersion
from scenarios.services.problems import Answer, Problem, UnresolvedError
from scenarios.services.reading import Reading, plain, read_matrix
from scenarios.services.resolving import ResolvedRow, Resolver

LEAD_KEY = "lead"


class DuplicateError(DomainError):
    """The same file was imported before; nothing was saved."""

    def __init__(self, version: ScenarioVersion):
        self.version = version
        super().__init__(
            f"这个文件已导入为“{version}”（{version.get_state_display()}），未重复导入。", code="duplicate"
        )


@dataclass(frozen=True)
class Preview:
    """What an import would do, and the questions in its way."""

    reading: Reading
    rows: list[ResolvedRow]
    left_out: set[int]
    problems: list[Problem]
    learnt: dict[str, Department]
    lead: Department | None


def preview(
    data: bytes,
    *,
    name: str,
    lead_department: Department | None = None,
    answers: Mapping[str, Department] | None = None,
    leave_out: Collection[str] = (),
    no_penalty: Collection[str] = (),
) -> Preview:
    """Read and resolve without saving anything. Raises DomainError for a file that is no matrix."""
    reading = read_matrix(open_workbook(data, name))
    resolver = Resolver(reading, answers=answers or {}, leave_out=leave_out, no_penalty=no_penalty)
    rows, left_out = resolver.resolve()
    lead, lead_problem = _lead(reading, resolver, lead_department)
    problems = [*([lead_problem] if lead_problem else []), *resolver.problems]
    if not problems and not rows:
        raise DomainError("所有事项行都被选择不导入，没有可保存的内容。")
    return Preview(reading, rows, left_out, problems, resolver.learnt, lead)


@transaction.atomic
def import_workbook(
    data: bytes,
    *,
    name: str,
    actor: User,
    lead_department: Department | None = None,
    answers: Mapping[str, Department] | None = None,
    leave_out: Collection[str] = (),
    no_penalty: Collection[str] = (),
    again: bool = False,
    stored: StoredFile | None = None,
) -> ScenarioVersion:
    """Save the workbook's matrix as the next draft of the scenario it names (its 主题).

    `answers` gives the department for a problem's key, `leave_out` the keys whose rows are not
    wanted (or `row:<line>`), `no_penalty` the keys of rows that list no penalty on purpose. An
    answered name becomes an alias. `stored` is the file when it is kept already.

    Raises UnresolvedError with every open problem, DuplicateError for a file imported before
    (unless `again`), PermissionDenied unless the account edits the lead department's scenarios.
    Nothing is saved in any of these cases.
    """
    plan = preview(
        data,
        name=name,
        lead_department=lead_department,
        answers=answers,
        leave_out=leave_out,
        no_penalty=no_penalty,
    )
    if plan.lead:
        require_importing(actor, plan.lead)
    if plan.problems:
        raise UnresolvedError(plan.problems)
    digest = digest_bytes(data)
    # Under the scenario's lock: a form sent twice waits here and finds what the first one made.
    scenario = _scenario(plan, actor)
    before = None if again else imported_as(digest)
    if before:
        raise DuplicateError(before)
    for alias, department in plan.learnt.items():
        departments.add_alias(department, alias)
    version = ScenarioVersion.objects.create(
        scenario=scenario,
        number=(scenario.versions.aggregate(last=Max("number"))["last"] or 0) + 1,
        title=(plan.reading.title or scenario.name)[:200],
        layout=plan.reading.layout(plan.left_out),
        created_by=actor,
        source_file=stored or files.store(data, name=name, content_type=files.WORKBOOK_TYPE),
    )
    _save_rows(version, plan.rows)
    ledger.append(
        scenario.subject,
        Event.IMPORTED,
        {
            "version": version.pk,
            "number": version.number,
            "file": digest,
            "rows": len(plan.rows),
            "left_out": sorted(plan.left_out),
            "aliases": {alias: department.code for alias, department in plan.learnt.items()},
        },
        actor=actor.key,
        department=scenario.lead_department.key,
    )
    return version


def imported_as(digest: str) -> ScenarioVersion | None:
    """The latest version made from a file with this digest."""
    return (
        ScenarioVersion.objects.filter(source_file__digest=digest)
        .select_related("scenario")
        .order_by("-pk")
        .first()
    )


def require_importing(actor: User, lead: Department) -> None:
    """Raise PermissionDenied unless 系统管理员, or 经办 and above in the department that leads."""
    if not actor.holds(Role.SYSTEM_ADMIN) and not actor.holds(*permissions.EDITING_ROLES, department=lead):
        raise PermissionDenied(f"只有系统管理员或{lead.short_name}可以导入由其牵头的事项清单。")


def _lead(
    reading: Reading, resolver: Resolver, chosen: Department | None
) -> tuple[Department | None, Problem | None]:
    """The lead department the sheet prints, or the one chosen where it prints none that is known."""
    printed = resolver.department(reading.lead.text) if reading.lead else None
    chosen = chosen or resolver.answers.get(LEAD_KEY)
    if printed and chosen and printed != chosen:
        raise DomainError(
            f"清单写明牵头部门是{printed.short_name}，与所选的{chosen.short_name}不一致。",
            fields={"lead_department": "与清单不一致"},
        )
    if printed or chosen:
        if chosen and reading.lead and not printed:
            resolver.learn(reading.lead.text, chosen)
        return printed or chosen, None
    text, cell = (reading.lead.text, reading.lead.cell) if reading.lead else ("", "A1")
    reason = "不知道牵头部门是哪个部门" if text else "没有写明牵头部门"
    return None, Problem(reading.sheet, cell, text, reason, LEAD_KEY, answer=Answer.DEPARTMENT)


def _scenario(plan: Preview, actor: User) -> Scenario:
    """The scenario of this 主题, locked so that two imports take different version numbers."""
    name = plan.reading.theme or plan.reading.title
    if not name:
        raise DomainError(f"工作表“{plan.reading.sheet}”的表头上方没有主题或标题，无法确定是哪一件事。")
    if len(name) > 128:
        raise DomainError("主题超过 128 个字，请核对表头上方的内容。")
    scenario, created = Scenario.objects.get_or_create(name=name, defaults={"lead_department": plan.lead})
    if created:
        permissions.grant_editing(scenario, plan.lead)
    scenario = (
        Scenario.objects.select_for_update(of=["self"]).select_related("lead_department").get(pk=scenario.pk)
    )
    if scenario.lead_department != plan.lead:
        raise DomainError(
            f"“{name}”由{scenario.lead_department.short_name}牵头，不能导入为{plan.lead.short_name}牵头的清单。"
        )
    permissions.require_editing(actor, scenario)
    return scenario


def _save_rows(version: ScenarioVersion, rows: list[ResolvedRow]) -> None:
    """The rows with their sectors, check items and penalty items, each table in a few statements."""
    # Distinct, in the order of the rows: so does the library list them.
    sectors = _sectors(dict.fromkeys(plain(row.read.text(ColumnRole.SECTOR)) for row in rows))
    checks = _check_items(
        dict.fromkeys((row.check_department.pk, plain(row.read.text(ColumnRole.CHECK))) for row in rows)
    )
    listed = [row for row in rows if row.body.kind != PenaltyBodyKind.NONE]
    penalties = _penalty_items(dict.fromkeys(plain(row.read.text(ColumnRole.PENALTY)) for row in listed))
    MatrixRow.objects.bulk_create(
        MatrixRow(
            version=version,
            position=position,
            line=position,
            cells=[row.read.text(column) for column in STANDARD_COLUMNS],
            number=row.read.text(ColumnRole.NUMBER),
            situation=row.read.text(ColumnRole.SITUATION),
            sector_text=row.read.text(ColumnRole.SECTOR),
            check_text=row.read.text(ColumnRole.CHECK),
            check_department_text=row.read.text(ColumnRole.CHECK_DEPARTMENT),
            penalty_text=row.read.text(ColumnRole.PENALTY),
            penalty_department_text=row.read.text(ColumnRole.PENALTY_DEPARTMENT),
            sector=sectors[plain(row.read.text(ColumnRole.SECTOR))],
            check_item=checks[row.check_department.pk, plain(row.read.text(ColumnRole.CHECK))],
            check_department=row.check_department,
            penalty_item=penalties.get(plain(row.read.text(ColumnRole.PENALTY))),
            penalty_body=row.body.kind,
            penalty_department=row.body.department,
            delegation_list=row.body.delegation_list,
        )
        for position, row in enumerate(rows)
    )


def _sectors(names: Collection[str]) -> dict[str, Sector]:
    Sector.objects.bulk_create((Sector(name=name) for name in names), ignore_conflicts=True)
    return {sector.name: sector for sector in Sector.objects.filter(name__in=names)}


def _check_items(keys: Collection[tuple[int, str]]) -> dict[tuple[int, str], CheckItem]:
    wanted = (CheckItem(department_id=department, name=name) for department, name in keys)
    CheckItem.objects.bulk_create(wanted, ignore_conflicts=True)
    found = CheckItem.objects.filter(name__in={name for _, name in keys})
    return {(item.department_id, item.name): item for item in found}


def _penalty_items(names: Collection[str]) -> dict[str, PenaltyItem]:
    PenaltyItem.objects.bulk_create((PenaltyItem(name=name) for name in names), ignore_conflicts=True)
    return {item.name: item for item in PenaltyItem.objects.filter(name__in=names)}
