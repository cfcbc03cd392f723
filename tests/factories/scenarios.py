from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count

from django.utils import timezone

from departments.enums import Role
from departments.models import Sector, User
from scenarios import permissions
from scenarios.enums import DelegationList, PenaltyBodyKind, VersionState
from scenarios.models import (
    CheckItem,
    Delegation,
    MatrixRow,
    PenaltyItem,
    PublishedItem,
    PublishedPenalty,
    Scenario,
    ScenarioVersion,
)
from scenarios.services.printing import standard_layout
from scenarios.services.sampling import parse_sampling
from tests.factories.departments import make_department, make_user

_numbers = count(1)


@dataclass
class Row:
    """One matrix row: `penalty_body` is a department's code, or "GENERAL"/"FIRE" for the delegated town."""

    check: str
    department: str = "minzheng"
    penalty: str = ""
    penalty_body: str = "minzheng"
    features: list[str] = field(default_factory=list)
    sampling: str = ""
    mandatory: bool = False


# Two bureaus, five check items, one of them with three rows of two penalty bodies.
ROWS = [
    Row("人员资质检查", penalty="人员资格不符合规定的处罚"),
    Row("服务协议检查", penalty="未签订服务协议的处罚"),
    Row("食堂检查", "shichang", "食品贮存不符合要求的处罚", "shichang", ["CANTEEN"]),
    Row("用地检查", "ziran", "非法占用土地的处罚", "GENERAL"),
    Row("消防检查", "xiaofang", "占用疏散通道的处罚", "FIRE"),
    Row("消防检查", "xiaofang", "门窗障碍物的处罚", "FIRE"),
    Row("消防检查", "xiaofang", "电气线路不合规定的处罚", "xiaofang"),
]


def make_version(rows: list[Row] | None = None, *, user: User | None = None) -> ScenarioVersion:
    """A published version with these rows (ROWS by default), led by 民政局."""
    number = next(_numbers)
    lead = make_department("minzheng")
    user = user or make_user(lead, Role.HANDLER)
    scenario = Scenario.objects.create(name=f"养老一件事{number}", lead_department=lead)
    permissions.grant_editing(scenario, lead)
    version = ScenarioVersion.objects.create(
        scenario=scenario, number=1, title=scenario.name, created_by=user, layout=standard_layout()
    )
    items, penalties = {}, {}
    for position, row in enumerate(rows or ROWS):
        department = make_department(row.department)
        check_item, _ = CheckItem.objects.get_or_create(
            department=department, name=row.check, defaults={"required_features": row.features}
        )
        penalty_item, _ = PenaltyItem.objects.get_or_create(name=row.penalty or f"{row.check}的处罚")
        if check_item not in items:
            items[check_item] = PublishedItem.objects.create(
                version=version,
                check_item=check_item,
                department=department,
                name=check_item.name,
                required_features=check_item.required_features,
                mandatory=row.mandatory,
            )
        if penalty_item not in penalties:
            penalties[penalty_item] = PublishedPenalty.objects.create(
                version=version, penalty_item=penalty_item, name=penalty_item.name
            )
        delegated = row.penalty_body in DelegationList.values
        body = None if delegated else make_department(row.penalty_body)
        MatrixRow.objects.create(
            version=version,
            position=position,
            line=position,
            cells=[
                str(position + 1),
                "对养老机构的监管",
                "民政",
                row.check,
                department.short_name,
                penalty_item.name,
                body.short_name if body else "承接行政处罚权的乡镇（街道）",
            ],
            number=str(position + 1),
            situation="对养老机构的监管",
            sector_text="民政",
            sector=Sector.objects.get_or_create(name="民政")[0],
            check_text=row.check,
            check_department_text=department.short_name,
            penalty_text=penalty_item.name,
            penalty_department_text=body.short_name if body else "承接行政处罚权的乡镇（街道）",
            check_item=check_item,
            check_department=department,
            penalty_item=penalty_item,
            penalty_body=PenaltyBodyKind.DELEGATED_TOWN if delegated else PenaltyBodyKind.DEPARTMENT,
            penalty_department=body,
            delegation_list=row.penalty_body if delegated else "",
            sampling_text=row.sampling,
            sampling=parse_sampling(row.sampling),
            item=items[check_item],
            penalty=penalties[penalty_item],
        )
    ScenarioVersion.objects.filter(pk=version.pk).update(
        state=VersionState.PUBLISHED,
        effective_from=date.today() - timedelta(days=30),
        published_at=timezone.now(),
        published_by=user,
    )
    version.refresh_from_db()
    return version


def delegate_all(town, version: ScenarioVersion, *, since: date = date(2024, 1, 1)) -> None:
    """Every delegated row of the version is delegated to this town."""
    rows = version.rows.filter(penalty_body=PenaltyBodyKind.DELEGATED_TOWN)
    for penalty_item, listing in rows.values_list("penalty_item", "delegation_list").distinct():
        Delegation.objects.create(
            town=town,
            penalty_item_id=penalty_item,
            delegation_list=listing,
            valid_from=since,
            recorded_by=version.created_by,
        )
