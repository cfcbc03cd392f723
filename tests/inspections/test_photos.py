from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile

from core.errors import DomainError
from core.models import StoredFile
from inspections.enums import TaskState
from inspections.models import Photo
from inspections.services.photos import MAX_PHOTOS, attach_photo, remove_photo
from tests.factories.tasks import (
    answer_all,
    item_of,
    make_task,
    officer_of,
    photo_upload,
    sign_all,
    submit_task,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def item():
    return item_of(make_task())


def attach(item, upload=None, photo_id=None, department="xiaofang"):
    actor = officer_of(item.task, department).user
    return attach_photo(item, photo_id=photo_id or uuid4(), upload=upload or photo_upload(), actor=actor)


def test_a_photo_is_kept_with_its_digest_and_starts_the_visit(item):
    photo_id = uuid4()
    photo = attach(item, photo_id=photo_id)
    item.task.refresh_from_db()
    assert (photo.pk, photo.task_item, photo.taken_by) == (photo_id, item, officer_of(item.task).user)
    assert photo.file.content_type == "image/jpeg"
    assert item.task.state == TaskState.UNDER_WAY


def test_the_same_photo_again_writes_nothing(item):
    photo_id = uuid4()
    attach(item, photo_id=photo_id)
    attach(item, photo_id=photo_id)
    assert (Photo.objects.count(), StoredFile.objects.count()) == (1, 1)


def test_an_id_used_for_another_picture_is_refused(item):
    photo_id = uuid4()
    attach(item, photo_id=photo_id)
    with pytest.raises(DomainError, match="照片编号已用于另一张照片"):
        attach(item, photo_upload(colour="red"), photo_id)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"%PDF-1.7 not a picture", "不是可用的图片"),
        (photo_upload().read()[:-60], "不是可用的图片"),
        (b"", "是空的"),
    ],
    ids=["no image", "cut short", "empty"],
)
def test_what_is_no_whole_picture_is_refused_by_name(item, data, says):
    with pytest.raises(DomainError, match=f"文件“扫描.jpg”{says}"):
        attach(item, SimpleUploadedFile("扫描.jpg", data, "image/jpeg"))
    assert (Photo.objects.count(), StoredFile.objects.count()) == (0, 0)


def test_a_photo_that_is_too_large_is_refused_with_its_size(item, settings):
    settings.UPLOAD_MAX_BYTES = 100
    with pytest.raises(DomainError, match="超过上限"):
        attach(item)


def test_one_photo_too_many_is_refused(item):
    for _ in range(MAX_PHOTOS):
        attach(item)
    with pytest.raises(DomainError, match="每个事项最多 9 张照片"):
        attach(item)


def test_another_departments_officer_may_not_add_a_photo(item):
    with pytest.raises(PermissionDenied, match="由市消防救援大队填写"):
        attach(item, department="ziran")


def test_removing_keeps_the_row_and_repeats_harmlessly(item):
    photo = attach(item)
    actor = officer_of(item.task).user
    removed = remove_photo(photo, actor=actor)
    assert removed.removed_at is not None
    assert remove_photo(photo, actor=actor).removed_at == removed.removed_at


def test_another_departments_officer_may_not_remove_a_photo(item):
    photo = attach(item)
    with pytest.raises(PermissionDenied):
        remove_photo(photo, actor=officer_of(item.task, "ziran").user)


def test_adding_or_removing_a_photo_removes_the_signatures(item):
    answer_all(item.task)
    sign_all(item.task)
    photo = attach(item)
    assert item.task.signatures.count() == 0
    sign_all(item.task)
    remove_photo(photo, actor=officer_of(item.task).user)
    assert item.task.signatures.count() == 0


def test_no_photo_is_added_or_removed_after_submit(item):
    photo = attach(item)
    submit_task(item.task)
    with pytest.raises(DomainError, match="表单已提交"):
        attach(item)
    with pytest.raises(DomainError, match="表单已提交"):
        remove_photo(photo, actor=officer_of(item.task).user)
