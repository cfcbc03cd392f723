"""One joint inspection that is over and one that is being ticked, so that no page of the demo is empty.

Everybody acts through the services the pages use, each with their own account, so permissions, clocks
and the ledger are those of real work. The dates are of the day the demo is loaded.
"""

import io
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.utils import timezone
from PIL import Image, ImageDraw

from archive import services as disclosures
from core.enums import JobState
from core.workdays import add_workdays
from departments.models import User
from inspections.draws.rules import SamplingRule, everything, percent
from inspections.enums import AnswerValue, Disposition, InspectionKind, Severity, SignerKind, StratifyBy
from inspections.models import (
    Finding,
    JointInspection,
    Participation,
    Rectification,
    Referral,
    Task,
    TaskItem,
)
from inspections.services import (
    answers,
    draw,
    launch,
    merge,
    photos,
    rectifications,
    referrals,
    signatures,
    submitting,
    ticking,
    visit_budget,
)
from institutions.models import Institution
from penalties import services as penalties
from penalties.enums import Decision
from penalties.models import PenaltyCase
from scenarios.enums import VersionState
from scenarios.models import ScenarioVersion

LEAD = "minzheng"
DECLINES = {"shengtai": "本季度已对在建项目单独检查，结果另行通报。"}
STROKES = (22, 19, 15, 255)


@dataclass(frozen=True)
class Problem:
    """What the officers write down under one matrix row."""

    row: int
    fact: str
    disposition: Disposition = Disposition.REFERRAL
    days: int | None = None
    severity: Severity = Severity.GENERAL
    has_photo: bool = False


@dataclass(frozen=True)
class Visit:
    institution: str
    problems: list[Problem] = field(default_factory=list)


BLOCKED_EXIT = Problem(26, "二楼东侧疏散通道堆放轮椅和纸箱，通行宽度不足。", has_photo=True)
RECHECKED = Problem(1, "两名护理员未取得培训合格证明。", Disposition.RECTIFICATION, days=15)
# 差异化监管：信用越差，抽得越多。
QUARTERLY = SamplingRule(percent(20), StratifyBy.CREDIT_CLASS, {"C": percent(50), "D": everything()})
FLAWLESS = "晋江市崇德社会福利院"
VISITS = [
    Visit("晋江市陈埭鸿福养老院", [BLOCKED_EXIT]),
    Visit(
        "晋江市安海龙山颐养院",
        [
            Problem(22, "三楼两具灭火器压力不足，应急照明一处不亮。"),
            Problem(28, "配电间线路未穿管保护，无年度检测报告。", severity=Severity.MAJOR),
            Problem(16, "冷藏柜内生熟食品混放。", Disposition.RECTIFICATION, days=7),
        ],
    ),
    Visit(
        "晋江紫帽山松鹤养老院",
        [
            Problem(25, "院内消火栓前停放车辆，遮挡取水口。"),
            Problem(13, "扩建楼未按方案配套生活垃圾收集点。"),
        ],
    ),
    Visit(
        "晋江桥南金色年华养老服务有限公司",
        [
            Problem(9, "一份结业证书未加盖培训专用章，当场收回重开。", Disposition.CORRECTED),
            RECHECKED,
        ],
    ),
    Visit(
        "罗山街道缺塘社区日间照料室",
        [Problem(8, "补助资金使用台账与票据有两笔不一致。", Disposition.RECTIFICATION, days=15)],
    ),
    Visit(FLAWLESS),
]


@transaction.atomic
def load() -> bool:
    """Play both joint inspections; False, and nothing done, when there is any joint inspection already."""
    if JointInspection.objects.exists():
        return False
    people = {user.username: user for user in User.objects.all()}
    _play_finished(people)
    _play_ticking(people)
    return True


def _play_finished(people: Mapping[str, User]) -> None:
    chosen = Institution.objects.filter(name__in=[visit.institution for visit in VISITS])
    today = timezone.localdate()
    inspection = _launched(
        people,
        f"{today.year}年养老服务机构消防与食品安全联合检查",
        chosen,
        purpose="对设有食堂、消防安全重点的机构及日间照料场所开展联合检查。",
        kind=InspectionKind.SPECIAL,
    )
    for participation in inspection.participations.select_related("department"):
        clerk = people[participation.department.code]
        if reason := DECLINES.get(participation.department.code):
            ticking.decline(participation, reason=reason, actor=clerk)
        else:
            _tick(participation, clerk)
    lead = people[LEAD]
    ticking.close_ticking(inspection, actor=lead)
    draw.draw(inspection, actor=lead)
    job = merge.start_generating(inspection, actor=lead)
    merge.generate(job.pk)
    job.refresh_from_db()
    if job.state != JobState.DONE:
        raise RuntimeError(f"demo forms were not generated: {job.error}")
    for visit in VISITS:
        _fill_in(Task.objects.get(institution__name=visit.institution), visit.problems)
    launch.complete(inspection, actor=lead)
    _recheck(people)
    _punish(people)
    _publish(people)


def _play_ticking(people: Mapping[str, User]) -> None:
    today = timezone.localdate()
    inspection = _launched(
        people,
        f"{today.year}年第{(today.month + 2) // 3}季度养老服务机构联合抽查",
        Institution.objects.in_operation(),
        purpose="按双随机要求联合抽查。",
        kind=InspectionKind.DAILY,
        sampling=QUARTERLY,
    )
    _tick(inspection.participations.get(department__code="shichang"), people["shichang"])


def _launched(
    people: Mapping[str, User],
    name: str,
    institutions,
    *,
    purpose: str,
    kind: InspectionKind,
    sampling: SamplingRule = launch.EVERYBODY,
) -> JointInspection:
    lead = people[LEAD]
    today = timezone.localdate()
    inspection = launch.launch(
        name=name,
        kind=kind,
        purpose=purpose,
        lead_department=lead.own_department,
        versions=[ScenarioVersion.objects.get(state=VersionState.PUBLISHED)],
        window_from=add_workdays(today, 7) if kind == InspectionKind.DAILY else today,
        window_until=add_workdays(today, 22),
        tick_deadline=_end_of(add_workdays(today, 5)),
        sampling=sampling,
        by_hand=institutions.values_list("pk", flat=True),
        actor=lead,
    )
    if visit_budget.others(inspection).exists():
        visit_budget.give_reason(inspection, reason="本次为双随机抽查，与专项检查事项不同。", actor=lead)
    launch.submit_for_approval(inspection, actor=lead)
    return launch.approve(inspection, actor=people[f"{LEAD}-fzr"])


def _tick(participation: Participation, clerk: User) -> None:
    ticks = participation.joint_inspection.ticks.filter(department=participation.department)
    revs = dict(ticks.values_list("pk", "rev"))
    ticking.tick_all(participation, ticked=True, revs=revs, actor=clerk)
    ticking.answer(participation, actor=clerk)


def _fill_in(task: Task, problems: list[Problem]) -> None:
    """Every item answered by an officer of its department, signed by all, submitted."""
    sent = list(task.officers.select_related("officer__user", "department"))
    officers = {one.department_id: one.officer.user for one in reversed(sent)}
    numbers = {problem.row: problem for problem in problems}
    for item in task.items.prefetch_related("rows__row"):
        rows = {int(link.row.number): link.row for link in item.rows.all()}
        found = [(rows[number], numbers.pop(number)) for number in sorted(rows) if number in numbers]
        _answer(item, found, officers[item.department_id])
    if numbers:
        raise LookupError(f"not on the form of {task.institution}: rows {sorted(numbers)}")
    first = sent[0].officer.user
    for one in sent:
        picture = signature(one.officer.user.name)
        signatures.sign(task, image=picture, kind=SignerKind.OFFICER, officer=one.officer, actor=first)
    representative = task.institution.legal_representative or task.institution.contact_name
    signatures.sign(
        task,
        image=signature(representative),
        kind=SignerKind.INSTITUTION,
        signer_name=representative,
        actor=first,
    )
    submitting.submit(task, actor=first)


def _answer(item: TaskItem, found: list, officer: User) -> None:
    findings = [
        {
            "row": row.pk,
            "severity": problem.severity,
            "disposition": problem.disposition,
            "days": problem.days,
            "fact": problem.fact,
        }
        for row, problem in found
    ]
    value = AnswerValue.NON_COMPLIANT if findings else AnswerValue.COMPLIANT
    answers.answer(item, answer_id=uuid4(), base_rev=0, value=value, findings=findings, actor=officer)
    if any(problem.has_photo for _, problem in found):
        upload = SimpleUploadedFile("疏散通道.jpg", corridor(), "image/jpeg")
        photos.attach_photo(item, photo_id=uuid4(), upload=upload, actor=officer)


def _recheck(people: Mapping[str, User]) -> None:
    rectification = Rectification.objects.get(finding__fact=RECHECKED.fact)
    rectifications.recheck(
        rectification,
        accepted=True,
        result="两人均已取得合格证明，证书复印件已留存。",
        checked_on=timezone.localdate(),
        actor=people[LEAD],
    )


def _punish(people: Mapping[str, User]) -> None:
    """The town takes the blocked exit up and brings the case to its end."""
    finding = Finding.objects.get(fact=BLOCKED_EXIT.fact)
    referral = Referral.objects.select_related("to_department").get(finding=finding)
    officer, today = people[referral.to_department.code], timezone.localdate()
    referrals.take_up(referral, actor=officer)
    case = penalties.file_case(referral, actor=officer)
    case = penalties.draft(
        case,
        facts=BLOCKED_EXIT.fact,
        basis="《中华人民共和国消防法》第六十条第一款第三项",
        decision=Decision.FINE,
        fine_amount=Decimal(500),
        legal_review_required=True,
        actor=officer,
    )
    penalties.request_review(case, actor=officer)
    penalties.review(case, passed=True, opinion="事实清楚，依据适用正确，程序合法。", actor=people["fazhi"])
    penalties.decide(case, decided_on=today, actor=officer)
    penalties.serve(case, served_on=today, actor=officer)
    penalties.pay(case, amount=Decimal(500), paid_on=today, receipt=f"YS{today:%Y%m%d}01", actor=officer)
    penalties.close(case, actor=officer)


def _publish(people: Mapping[str, User]) -> None:
    """Something for the public to read; the other results wait for their lead department."""
    disclosures.publish_task(Task.objects.get(institution__name=FLAWLESS), actor=people[LEAD])
    case = PenaltyCase.objects.select_related("department").get()
    disclosures.publish_case(case, actor=people[case.department.code])


def signature(name: str) -> bytes:
    """A scribble on a transparent ground, always the same for a name."""
    pen = random.Random(name)  # noqa: S311 - a drawing
    picture = Image.new("RGBA", (280, 110), (0, 0, 0, 0))
    paper = ImageDraw.Draw(picture)
    for left in range(24, 240, 76):
        points = [(left + pen.randint(0, 64), pen.randint(18, 92)) for _ in range(6)]
        paper.line(points, fill=STROKES, width=4, joint="curve")
    return _encoded(picture, "PNG")


def corridor() -> bytes:
    """The blocked corridor, drawn rather than photographed: nobody should take it for evidence."""
    picture = Image.new("RGB", (960, 720), "#d9d5c9")
    paper = ImageDraw.Draw(picture)
    paper.polygon([(0, 720), (360, 430), (600, 430), (960, 720)], fill="#a79f8d")
    paper.rectangle((400, 230, 560, 430), fill="#5b7f6b", outline="#33463b", width=6)
    for box in ((180, 470, 380, 640), (300, 380, 440, 500), (560, 500, 720, 640)):
        paper.rectangle(box, fill="#b98b54", outline="#6d4d26", width=5)
        paper.line((box[0], box[1], box[2], box[3]), fill="#6d4d26", width=3)
    return _encoded(picture, "JPEG")


def _encoded(picture: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


def _end_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(23, 59)))
