from portal.subjects import page_of


def test_a_thing_is_shown_on_its_page():
    assert page_of("joint_inspection:12") == "/inspections/12/"


def test_the_visits_of_a_joint_inspection_are_shown_in_the_list_of_tasks():
    assert page_of("visits:12") == "/tasks/?inspection=12"


def test_a_key_no_page_takes_has_none():
    assert [page_of(key) for key in ("", "visits:", "task:12", "answer:1")] == [None, None, None, None]
