import pytest

from departments.models import Department, User
from inspections.models import JointInspection
from tests.factories.departments import make_department
from tests.factories.inspections import clerk_of, make_inspection


@pytest.fixture
def inspection() -> JointInspection:
    """Open to its four departments, led by 民政局."""
    return make_inspection()


@pytest.fixture
def shichang() -> Department:
    return make_department("shichang")


@pytest.fixture
def ziran() -> Department:
    return make_department("ziran")


@pytest.fixture
def clerk(shichang) -> User:
    return clerk_of(shichang)
