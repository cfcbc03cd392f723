import pytest
from django.core.exceptions import PermissionDenied

from core.errors import DomainError, StaleError
from core.models import StoredFile
from departments.models import Officer
from inspections.enums import SignerKind
from inspections.models import Signature
from inspections.services.signatures import answers_digest, sign
from tests.factories.departments import make_department, make_officer, make_user
from tests.factories.tasks import (
    answer_all,
    answer_item,
    item_of,
    make_task,
    officer_of,
    photo_upload,
    png,
    problem,
    submit_task,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def task():
    """A form on which everything is answered."""
    task = make_task()
    answer_all(task)
    return task


def sign_as(task, holder, **fields):
    """Sign on this officer's phone, for themself unless said otherwise."""
    values = {"image": png(), "kind": SignerKind.OFFICER, "officer": holder, "actor": holder.user}
    return sign(task, **(values | fields))


def test_an_officer_signs_under_the_digest_of_the_answers(task):
    officer = officer_of(task)
    signature = sign_as(task, officer)
    assert (signature.officer, signature.department.code, signature.signer_name) == (
        officer,
        "xiaofang",
        officer.user.name,
    )
    assert signature.answers_digest == answers_digest(task)


def test_one_phone_takes_the_signatures_of_other_departments_officers(task):
    other = officer_of(task, "ziran")
    signature = sign_as(task, other, actor=officer_of(task).user)
    assert (signature.officer, signature.department.code) == (other, "ziran")


def test_the_institutions_representative_signs_with_their_name(task):
    signature = sign_as(
        task, officer_of(task), kind=SignerKind.INSTITUTION, officer=None, signer_name=" 林代表 "
    )
    assert (signature.kind, signature.officer, signature.signer_name) == ("INSTITUTION", None, "林代表")


def test_the_representatives_name_is_required(task):
    with pytest.raises(DomainError) as refusal:
        sign_as(task, officer_of(task), kind=SignerKind.INSTITUTION, officer=None, signer_name=" ")
    assert refusal.value.fields == {"signer_name": "请填写机构代表姓名。"}


def test_signing_again_replaces_the_first_signature_and_its_picture(task):
    officer = officer_of(task)
    first = sign_as(task, officer)
    second = sign_as(task, officer)
    assert Signature.objects.get() == second
    assert not StoredFile.objects.filter(pk=first.image_id).exists()


def test_nobody_signs_while_an_item_is_unanswered():
    task = make_task()
    answer_item(item_of(task))
    with pytest.raises(DomainError, match="还有 4 项未填写，全部填写后才能签名。"):
        sign_as(task, officer_of(task))


def test_an_officer_who_was_not_sent_cannot_sign(task):
    stranger = make_officer(make_department("xiaofang"))
    with pytest.raises(DomainError) as refusal:
        sign_as(task, stranger, actor=officer_of(task).user)
    assert list(refusal.value.fields) == ["officer"]


def test_an_expired_officer_cannot_sign(task):
    expired = officer_of(task, "ziran")
    Officer.objects.filter(pk=expired.pk).update(certified_from="2020-01-01", certified_until="2024-01-31")
    with pytest.raises(PermissionDenied, match="执法证不在有效期内"):
        sign_as(task, expired, actor=officer_of(task).user)


def test_only_an_assigned_officers_phone_takes_signatures(task):
    with pytest.raises(PermissionDenied, match="您不是本次检查的执法人员"):
        sign_as(task, officer_of(task), actor=make_user(make_department("xiaofang")))


@pytest.mark.parametrize(
    ("image", "says"),
    [
        (b"", "签名图片无法识别"),
        (b"not a png", "签名图片无法识别"),
        (png()[:-30], "签名图片无法识别"),
        (photo_upload().read(), "签名图片无法识别"),
        (png(blank=True), "还没有签名"),
    ],
    ids=["nothing", "no picture", "cut short", "JPEG", "blank"],
)
def test_an_unusable_picture_is_refused(task, image, says):
    with pytest.raises(DomainError, match=says):
        sign_as(task, officer_of(task), image=image)
    assert Signature.objects.count() == 0


def test_who_was_shown_other_answers_is_asked_to_look_again(task):
    seen = answers_digest(task)
    answer_item(item_of(task), "NOT_APPLICABLE")
    with pytest.raises(StaleError, match="表单内容刚有变更，请重新核对后签名。"):
        sign_as(task, officer_of(task), seen=seen)
    assert sign_as(task, officer_of(task), seen=answers_digest(task)).pk


def test_nobody_signs_after_submit(task):
    submit_task(task)
    with pytest.raises(DomainError, match="表单已提交"):
        sign_as(task, officer_of(task))


def test_the_digest_changes_with_every_part_of_an_answer(task):
    item = item_of(task)
    rows = list(item.item.rows.all())
    seen = {answers_digest(task)}
    for value, note, findings in [
        ("NOT_APPLICABLE", "", []),
        ("NOT_APPLICABLE", "停用", []),
        ("NON_COMPLIANT", "停用", [problem(rows[0])]),
        ("NON_COMPLIANT", "停用", [problem(rows[1])]),
        ("NON_COMPLIANT", "停用", [problem(rows[1], fact="三楼")]),
        ("NON_COMPLIANT", "停用", [problem(rows[1], fact="三楼", severity="MAJOR")]),
    ]:
        answer_item(item, value, findings, note=note)
        seen.add(answers_digest(task))
    assert len(seen) == 7


def test_the_digest_is_the_same_however_often_it_is_taken(task):
    assert answers_digest(task) == answers_digest(task)
