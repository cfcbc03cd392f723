"""Photos taken on site, each under an id its phone made."""

from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from core.digests import digest_bytes
from core.errors import DomainError
from core.files import store_image
from departments.models import User
from inspections.models import Photo, TaskItem
from inspections.services import signatures, visits

MAX_PHOTOS = 9


@transaction.atomic
def attach_photo(task_item: TaskItem, *, photo_id: UUID, upload: UploadedFile, actor: User) -> Photo:
    """Keep a photo as evidence for one item. The same `photo_id` again returns what was kept and writes nothing.

    Signatures given before are removed, as they did not cover it. Raises PermissionDenied as `answer` does,
    DomainError for a file that is no JPEG, PNG or WebP, too large or cut short, for more than MAX_PHOTOS,
    for an id used for another item or other content, and once the form is submitted.
    """
    task = visits.lock_task(task_item.task)
    item = TaskItem.objects.select_related("department").get(pk=task_item.pk)
    assignment = visits.require_assigned(task, actor, item.department)
    earlier = Photo.objects.select_related("file").filter(pk=photo_id).first()
    if earlier is not None:
        if earlier.task_item_id != item.pk or not _same_content(earlier, upload):
            raise DomainError("照片编号已用于另一张照片，未保存。", code="photo_id_reused")
        return earlier
    visits.require_open(task)
    visits.require_certified(assignment)
    if item.photos.filter(removed_at=None).count() >= MAX_PHOTOS:
        raise DomainError(f"每个事项最多 {MAX_PHOTOS} 张照片，请先移除不需要的照片。")
    photo = Photo.objects.create(id=photo_id, task_item=item, file=store_image(upload), taken_by=actor)
    visits.start(task)
    signatures.void(task)
    return photo


@transaction.atomic
def remove_photo(photo: Photo, *, actor: User) -> Photo:
    """Take a photo off an open form; done twice it stays done. Refusals as for `attach_photo`."""
    task = visits.lock_task(photo.task_item.task)
    assignment = visits.require_assigned(task, actor, photo.task_item.department)
    photo = Photo.objects.get(pk=photo.pk)
    if photo.removed_at:
        return photo
    visits.require_open(task)
    visits.require_certified(assignment)
    photo.removed_at = timezone.now()
    photo.save(update_fields=["removed_at"])
    signatures.void(task)
    return photo


def _same_content(photo: Photo, upload: UploadedFile) -> bool:
    data = upload.read()
    upload.seek(0)
    return photo.file.size == len(data) and photo.file.digest == digest_bytes(data, photo.file.algorithm)
