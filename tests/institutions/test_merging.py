import json
from datetime import date

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.urls import reverse

from core.errors import DomainError
from departments.enums import Role
from institutions import services
from institutions.enums import Event
from institutions.models import Institution
from institutions.services.merging import filled_by, survivors_for
from ledger.models import Entry
from ledger.services import verify
from tests.factories.departments import make_department, make_officer, make_town, make_user
from tests.factories.institutions import USCCS, make_institution, make_keeper, make_recusal

pytestmark = pytest.mark.django_db


@pytest.fixture
def keeper():
    return make_keeper()


@pytest.fixture
def pair():
    """A temporary registration, and the one with a code that is the same home."""
    town = make_town("英林镇")
    return (
        make_institution(town, name="怡康养老院", contact_phone="13800001007", beds=60, residents=40),
        make_institution(town, name="怡康养老院", uscc=USCCS[0], beds=80),
    )


def entries(institution):
    return list(Entry.objects.filter(chain__subject=institution.subject).order_by("seq"))


def merge_page(institution, **query):
    return reverse("institutions:merge", args=[institution.key], query=query)


# --- The verb -----------------------------------------------------------------------------


def test_the_absorbed_row_stays_and_points_to_the_survivor(keeper, pair):
    temporary, survivor = pair
    services.merge(temporary, survivor, actor=keeper)
    temporary.refresh_from_db()
    assert temporary.merged_into == survivor
    assert temporary.name == "怡康养老院"


def test_what_would_contradict_the_survivor_is_not_filled(keeper):
    town = make_town("英林镇")
    temporary = make_institution(town, beds=80, nursing_beds=60, residents=40)
    survivor = make_institution(town, uscc=USCCS[0], beds=0)
    assert filled_by(survivor, temporary) == ["residents"]
    services.merge(temporary, survivor, actor=keeper)
    survivor.refresh_from_db()
    assert (survivor.beds, survivor.nursing_beds, survivor.residents) == (0, None, 40)


def test_it_leaves_what_people_see_and_what_is_drawn_from(keeper, pair):
    temporary, survivor = pair
    services.merge(temporary, survivor, actor=keeper)
    assert list(Institution.objects.visible_to(keeper)) == [survivor]
    assert list(Institution.objects.in_operation()) == [survivor]
    assert set(Institution.objects.history_of(survivor)) == {temporary, survivor}


def test_the_survivor_keeps_its_own_and_is_filled_where_it_says_nothing(keeper, pair):
    temporary, survivor = pair
    assert filled_by(survivor, temporary) == ["residents", "contact_phone"]
    services.merge(temporary, survivor, actor=keeper)
    survivor.refresh_from_db()
    assert (survivor.beds, survivor.residents, survivor.contact_phone) == (80, 40, "13800001007")


def test_an_entry_on_each_chain_names_the_other(keeper, pair):
    temporary, survivor = pair
    services.merge(temporary, survivor, actor=keeper)
    left = entries(temporary)[-1]
    assert (left.kind, left.payload) == (
        Event.MERGED,
        {"into": str(survivor.key), "uscc": USCCS[0]},
    )
    changed, joined = entries(survivor)
    assert (changed.kind, joined.kind) == (Event.CHANGED, Event.ABSORBED)
    assert joined.payload == {
        "absorbed": str(temporary.key),
        "temporary_number": temporary.temporary_number,
        "seq": left.seq,
        "digest": left.digest,
    }
    assert "13800001007" not in json.dumps(changed.payload)
    assert list(verify()) == []


def test_officers_recused_from_one_are_recused_from_both(keeper, pair):
    temporary, survivor = pair
    officer = make_officer(make_department("xiaofang"))
    make_recusal(officer, temporary)
    services.merge(temporary, survivor, actor=keeper)
    assert list(survivor.recusals.values_list("officer", "reason")) == [(officer.pk, "近亲属在该机构任职")]


def test_the_same_recusal_on_both_is_no_conflict(keeper, pair):
    officer = make_officer(make_department("xiaofang"))
    for institution in pair:
        make_recusal(officer, institution)
    services.merge(*pair, actor=keeper)
    assert pair[1].recusals.count() == 1


def test_an_institution_with_a_code_is_not_absorbed(keeper, pair):
    with pytest.raises(DomainError, match="已有统一社会信用代码"):
        services.merge(pair[1], make_institution(uscc=USCCS[1]), actor=keeper)


def test_nothing_is_merged_into_an_institution_without_a_code(keeper, pair):
    with pytest.raises(DomainError, match="没有统一社会信用代码"):
        services.merge(pair[0], make_institution(), actor=keeper)


def test_merging_again_is_refused(keeper, pair):
    services.merge(*pair, actor=keeper)
    with pytest.raises(DomainError, match="已经并入"):
        services.merge(pair[0], make_institution(uscc=USCCS[1]), actor=keeper)


def test_what_was_merged_away_is_changed_no_more(keeper, pair):
    services.merge(*pair, actor=keeper)
    with pytest.raises(DomainError, match="已并入“怡康养老院”，不能再变更"):
        services.change(pair[0], actor=keeper, beds=1)
    with pytest.raises(DomainError, match="已并入“怡康养老院”，不能再变更"):
        services.set_operating_state(pair[0], "CLOSED", actor=keeper, reason="注销")


def test_the_database_keeps_a_code_from_being_merged_away(pair):
    with pytest.raises(IntegrityError, match="institutions_merged_has_no_code"), transaction.atomic():
        Institution.objects.filter(pk=pair[1].pk).update(merged_into=pair[0])


def test_only_keepers_merge(pair):
    with pytest.raises(PermissionDenied):
        services.merge(*pair, actor=make_user(make_department("shichang")))


# --- The page -----------------------------------------------------------------------------


def test_namesakes_in_the_town_are_offered_first(keeper, pair):
    temporary, survivor = pair
    make_institution(name="怡康养老院", town=make_town("安海镇"), uscc=USCCS[1])
    assert list(survivors_for(temporary, actor=keeper)) == [survivor]


@pytest.mark.parametrize("words", ["怡康", USCCS[0].lower(), "怡康 养老"])
def test_others_are_found_by_name_or_code(keeper, pair, words):
    assert list(survivors_for(pair[0], actor=keeper, words=words)) == [pair[1]]


def test_both_stand_side_by_side_with_what_will_happen(client_as, keeper, pair):
    temporary, survivor = pair
    page = client_as(keeper).get(merge_page(temporary, into=survivor.uscc)).content.decode()
    for said in ("13800001007", "补上", "保留原值", "并入后不能撤销", temporary.temporary_number):
        assert said in page


def test_confirming_leads_to_the_survivor(client_as, keeper, pair):
    temporary, survivor = pair
    client = client_as(keeper)
    response = client.post(merge_page(temporary), {"into": survivor.uscc})
    assert response["Location"] == reverse("institutions:detail", args=[survivor.key])
    page = client.get(response["Location"]).content.decode()
    assert "由临时登记并入" in page
    assert temporary.temporary_number in page


def test_an_old_link_leads_on_to_the_survivor(client_as, keeper, pair):
    temporary, survivor = pair
    services.merge(*pair, actor=keeper)
    response = client_as(keeper).get(reverse("institutions:detail", args=[temporary.key]))
    assert response["Location"] == reverse("institutions:detail", args=[survivor.key])


def test_without_a_choice_the_page_is_shown_again(client_as, keeper, pair):
    assert client_as(keeper).post(merge_page(pair[0])).status_code == 422


@pytest.mark.parametrize("homes", [1, 3])
def test_the_page_costs_the_same_for_any_number(client_as, keeper, homes, django_assert_num_queries):
    temporary = make_institution(name="怡康养老院")
    for code in USCCS[:homes]:
        make_institution(temporary.town, name="怡康养老院", uscc=code, filed_on=date(2024, 1, 1))
    client = client_as(keeper)
    with django_assert_num_queries(9):
        client.get(merge_page(temporary))


def test_another_bureau_may_not_open_it(client_as, pair):
    clerk = make_user(make_department("shichang"), Role.HANDLER)
    assert client_as(clerk).get(merge_page(pair[0])).status_code == 403
