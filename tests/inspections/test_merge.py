import uuid
from collections import Counter
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from core import jobs
from core.enums import JobState
from core.errors import DomainError
from departments.models import Notification, Officer
from inspections.enums import Event, InspectionState
from inspections.models import Task, TaskItem, TaskItemRow, TaskOfficer, TaskOrigin
from inspections.services import merge
from inspections.services.assignment import teams_for
from inspections.services.draw import draw
from institutions.enums import Feature, InstitutionKind
from institutions.models import Institution, Recusal
from ledger.services import entries_of, verify
from scenarios.models import CheckItem
from scenarios.services.importing import import_workbook
from scenarios.services.versions import publish
from tests.factories.institutions import make_institution
from tests.factories.matrices import make_admin, make_bureaus, make_workbook
from tests.factories.merging import make_closed_inspection
from tests.factories.scenarios import Row, make_version

pytestmark = pytest.mark.django_db

ALL_ITEMS = {"人员资质检查", "服务协议检查", "食堂检查", "用地检查", "消防检查"}


@pytest.fixture(autouse=True)
def _no_queue(monkeypatch):
    monkeypatch.setattr(jobs, "enqueue", lambda job: None)


def generate(inspection, clerk):
    draw(inspection, actor=clerk)
    job = merge.start_generating(inspection, actor=clerk)
    merge.generate(job.pk)
    job.refresh_from_db()
    return job


def counts():
    return [model.objects.count() for model in (Task, TaskOrigin, TaskItem, TaskItemRow, TaskOfficer)]


def test_one_form_an_institution_with_each_item_once_and_all_its_rows():
    home = make_institution(features=[Feature.CANTEEN])
    inspection, clerk = make_closed_inspection(make_version(), [home])
    job = generate(inspection, clerk)
    task = Task.objects.get()
    assert (task.institution, task.window_until) == (home, inspection.window_until)
    assert {item.item.name for item in task.items.all()} == ALL_ITEMS
    fire = task.items.get(item__name="消防检查")
    assert [link.row.number for link in fire.rows.order_by("row__position")] == ["5", "6", "7"]
    assert (job.state, job.done, job.total) == (JobState.DONE, 1, 1)
    inspection.refresh_from_db()
    assert inspection.state == InspectionState.UNDER_WAY


def test_only_ticked_items_come_onto_the_form():
    inspection, clerk = make_closed_inspection(make_version(), [make_institution()], ticked={"消防检查"})
    generate(inspection, clerk)
    assert [item.item.name for item in TaskItem.objects.all()] == ["消防检查"]
    assert {link.department.code for link in TaskOfficer.objects.all()} == {"xiaofang"}


def test_an_item_applies_only_where_its_condition_holds():
    version = make_version()
    without, with_canteen = make_institution(), make_institution(features=[Feature.CANTEEN, Feature.SUBSIDY])
    inspection, clerk = make_closed_inspection(version, [without, with_canteen])
    generate(inspection, clerk)
    assert not TaskItem.objects.filter(task__institution=without, item__name="食堂检查").exists()
    assert TaskItem.objects.filter(task__institution=with_canteen, item__name="食堂检查").exists()


def test_an_item_for_other_kinds_of_institution_stays_away():
    CheckItem.objects.all().delete()
    version = make_version([Row("消防检查", "xiaofang", "处罚", "FIRE")])
    # The copy in the version decides, not the library.
    CheckItem.objects.update(institution_kinds=[InstitutionKind.MEAL_POINT])
    inspection, clerk = make_closed_inspection(version, [make_institution()])
    generate(inspection, clerk)
    assert TaskItem.objects.count() == 1


def test_an_institution_without_any_applicable_item_gets_no_form():
    version = make_version([Row("食堂检查", "shichang", "处罚", "shichang", ["CANTEEN"])])
    inspection, clerk = make_closed_inspection(version, [make_institution()])
    job = generate(inspection, clerk)
    assert (job.state, counts()) == (JobState.DONE, [0, 0, 0, 0, 0])


def test_officers_are_told_of_their_visits():
    inspection, clerk = make_closed_inspection(make_version(), [make_institution()], ticked={"消防检查"})
    generate(inspection, clerk)
    told = Notification.objects.filter(recipient__officer__isnull=False)
    assert {note.subject for note in told} == {f"visits:{inspection.pk}"}
    assert told.count() == 2


def test_two_officers_a_department_dealt_out_evenly():
    homes = [make_institution() for _ in range(5)]
    inspection, clerk = make_closed_inspection(make_version(), homes, ticked={"消防检查"}, officers=4)
    generate(inspection, clerk)
    per_visit = Counter(TaskOfficer.objects.values_list("task", flat=True))
    per_officer = Counter(TaskOfficer.objects.values_list("officer", flat=True))
    assert set(per_visit.values()) == {2}
    assert sorted(per_officer.values()) == [2, 2, 3, 3]


def test_a_recused_officer_does_not_go():
    home = make_institution()
    inspection, clerk = make_closed_inspection(make_version(), [home], ticked={"消防检查"}, officers=3)
    recused = Officer.objects.filter(department__code="xiaofang").first()
    Recusal.objects.create(officer=recused, institution=home, reason="亲属任职")
    generate(inspection, clerk)
    assert set(TaskOfficer.objects.values_list("officer", flat=True)) == set(
        Officer.objects.filter(department__code="xiaofang")
        .exclude(pk=recused.pk)
        .values_list("pk", flat=True)
    )


def test_too_few_officers_because_of_recusal_names_the_institution():
    home = make_institution(name="怡康养老院")
    inspection, clerk = make_closed_inspection(make_version(), [home], ticked={"消防检查"})
    officer = Officer.objects.filter(department__code="xiaofang").first()
    Recusal.objects.create(officer=officer, institution=home, reason="亲属任职")
    draw(inspection, actor=clerk)
    with pytest.raises(DomainError, match="市消防救援大队可以派往“怡康养老院”的执法人员只有 1 名"):
        merge.start_generating(inspection, actor=clerk)


def test_an_expired_certificate_is_named_before_anything_is_generated():
    inspection, clerk = make_closed_inspection(make_version(), [make_institution()])
    officer = Officer.objects.filter(department__code="xiaofang").first()
    officer.certified_until = inspection.window_until - timedelta(days=1)
    officer.save()
    draw(inspection, actor=clerk)
    with pytest.raises(DomainError, match="市消防救援大队在检查期内执法证有效且在岗的执法人员只有 1 名"):
        merge.start_generating(inspection, actor=clerk)
    inspection.refresh_from_db()
    assert inspection.state == InspectionState.TICKING_CLOSED


def test_nothing_ticked_is_refused():
    inspection, clerk = make_closed_inspection(make_version(), [make_institution()], ticked=set())
    draw(inspection, actor=clerk)
    with pytest.raises(DomainError, match="没有部门勾选"):
        merge.start_generating(inspection, actor=clerk)


def test_generating_without_a_draw_is_refused():
    inspection, clerk = make_closed_inspection(make_version(), [make_institution()])
    with pytest.raises(DomainError, match="请先抽取"):
        merge.start_generating(inspection, actor=clerk)


def test_a_participant_may_not_generate():
    inspection, clerk = make_closed_inspection(make_version(), [make_institution()])
    draw(inspection, actor=clerk)
    with pytest.raises(PermissionDenied):
        merge.start_generating(inspection, actor=Officer.objects.first().user)


def test_every_form_is_on_its_institutions_chain():
    homes = [make_institution() for _ in range(3)]
    inspection, clerk = make_closed_inspection(make_version(), homes)
    generate(inspection, clerk)
    for home in homes:
        entry = entries_of(home.subject).get()
        task = Task.objects.get(institution=home)
        assert (entry.kind, entry.payload) == (
            Event.TASK_CREATED,
            {"joint_inspection": inspection.pk, "task": str(task.pk), "items": 4},
        )
    kinds = [entry.kind for entry in entries_of(inspection.subject)]
    assert kinds == [Event.ROSTER_FROZEN, Event.DRAWN, Event.GENERATING, Event.GENERATED]
    assert list(verify()) == []


def test_running_the_job_twice_changes_nothing():
    inspection, clerk = make_closed_inspection(make_version(), [make_institution() for _ in range(3)])
    job = generate(inspection, clerk)
    before = counts()
    merge.generate(job.pk)
    assert counts() == before


def test_starting_again_while_generating_is_refused():
    inspection, clerk = make_closed_inspection(make_version(), [make_institution()])
    draw(inspection, actor=clerk)
    merge.start_generating(inspection, actor=clerk)
    with pytest.raises(DomainError):
        merge.start_generating(inspection, actor=clerk)


def test_a_failing_chunk_leaves_the_finished_ones_and_goes_on_from_there(settings, monkeypatch):
    settings.MERGE_CHUNK = 2
    homes = [make_institution() for _ in range(5)]
    inspection, clerk = make_closed_inspection(make_version(), homes)
    draw(inspection, actor=clerk)
    job = merge.start_generating(inspection, actor=clerk)
    append_many = merge.ledger.append_many
    calls = []

    def fail_second(records, **fields):
        calls.append(records)
        if len(calls) == 2:
            raise RuntimeError("磁盘已满")
        return append_many(records, **fields)

    monkeypatch.setattr(merge.ledger, "append_many", fail_second)
    merge.generate(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, job.error, Task.objects.count()) == (JobState.QUEUED, 2, "磁盘已满", 2)

    type(job).objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    merge.generate(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done) == (JobState.DONE, 5)
    assert set(Task.objects.values_list("institution", flat=True)) == set(
        Institution.objects.values_list("pk", flat=True)
    )
    assert list(verify()) == []


def test_a_worker_that_lost_its_lease_writes_nothing(settings):
    settings.MERGE_CHUNK = 1
    inspection, clerk = make_closed_inspection(make_version(), [make_institution() for _ in range(2)])
    made = draw(inspection, actor=clerk)
    job = merge.start_generating(inspection, actor=clerk)
    held = jobs.claim(job.pk)
    type(job).objects.update(lease_token=uuid.uuid4())
    with pytest.raises(jobs.LeaseLostError):
        merge._generate_chunk(held, inspection, made, teams_for(made), clerk)
    assert counts() == [0, 0, 0, 0, 0]


def test_a_job_that_gave_up_can_be_taken_up_again(settings):
    inspection, clerk = make_closed_inspection(make_version(), [make_institution()])
    draw(inspection, actor=clerk)
    job = merge.start_generating(inspection, actor=clerk)
    type(job).objects.update(state=JobState.FAILED)
    merge.retry_generating(inspection, actor=clerk)
    merge.generate(job.pk)
    job.refresh_from_db()
    assert (job.state, Task.objects.count()) == (JobState.DONE, 1)


def test_two_joint_inspections_each_get_their_own_visit():
    home, version = make_institution(), make_version()
    for number in ("2026-0001", "2026-0002"):
        inspection, clerk = make_closed_inspection(version, [home], number=number)
        generate(inspection, clerk)
    assert TaskOrigin.objects.filter(institution=home).count() == 2


def test_a_line_of_several_departments_is_an_item_of_each_and_partners_get_none():
    make_bureaus()
    admin = make_admin()
    header = ["序号", "抽查领域", "抽查事项", "检查对象", "发起部门", "配合部门"]
    rows = [["1", "养老", "场所安全检查", "养老机构", "民政局、市场监管局", "消防救援大队"]]
    data = make_workbook(rows, header=header, above=[["养老机构联合抽查清单"]])
    answers = {"lead": "department:minzheng"}
    version = publish(import_workbook(data, name="清单.xlsx", actor=admin, answers=answers), actor=admin)
    assert version.rows.count() == 3
    inspection, clerk = make_closed_inspection(version, [make_institution()])
    generate(inspection, clerk)
    form = Task.objects.get().items.order_by("department__code")
    assert [(item.department.code, item.item.name) for item in form] == [
        ("minzheng", "场所安全检查"),
        ("shichang", "场所安全检查"),
    ]
    assert [link.row.check_department.code for item in form for link in item.rows.all()] == [
        "minzheng",
        "shichang",
    ]
