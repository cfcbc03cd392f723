"""Publications, made through the portal's own services."""

from archive import services
from archive.models import Disclosure
from departments.enums import Role
from departments.models import Department, User
from inspections.models import Task
from penalties.enums import CaseState
from tests.factories.departments import make_user
from tests.factories.penalties import FIRE_ROW, handler_of, make_case
from tests.factories.scenarios import make_version
from tests.factories.tasks import make_task, problem, submit_task


def make_submitted(*, with_problem: bool = False, **task_fields) -> Task:
    """A submitted visit with one item on its form, without a problem unless asked for one."""
    version = task_fields.pop("version", None)
    if version is None and "inspection" not in task_fields:
        version = make_version([FIRE_ROW])
    task = make_task(version=version, **task_fields)
    row = task.items.get().item.rows.get()
    return submit_task(task, *([problem(row)] if with_problem else []))


def lead_of(task: Task) -> Department:
    return (
        task.origins.select_related("joint_inspection__lead_department")
        .get()
        .joint_inspection.lead_department
    )


def clerk_of(task: Task) -> User:
    """A clerk of the lead department."""
    return make_user(lead_of(task), Role.HANDLER)


def make_disclosure(**task_fields) -> Disclosure:
    """A submitted visit, published by its lead."""
    task = make_submitted(**task_fields)
    return services.publish_task(task, actor=clerk_of(task))


def make_case_disclosure(**case_fields) -> Disclosure:
    """A penalty decision, published by the town that made it."""
    case = make_case(CaseState.DECIDED, **case_fields)
    return services.publish_case(case, actor=handler_of(case.referral))
