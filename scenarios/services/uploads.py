"""A workbook between its upload and its answers."""

from datetime import timedelta

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from core import files
from core.models import StoredFile
from departments.models import User
from scenarios.models import MatrixUpload, ScenarioVersion
from scenarios.services.importing import preview, require_importing

# An upload nobody came back to is given up after this many days.
KEPT_DAYS = 7


@transaction.atomic
def keep(upload: UploadedFile, *, actor: User) -> MatrixUpload:
    """Keep an uploaded matrix for the questions that follow; nothing of it is imported yet.

    Raises DomainError for a file that is no matrix, PermissionDenied when its lead department is
    one the account may not import for.
    """
    data = files.read_upload(upload)
    plan = preview(data, name=upload.name)
    if plan.lead:
        require_importing(actor, plan.lead)
    forget_old()
    stored = files.store(data, name=upload.name, content_type=files.WORKBOOK_TYPE)
    return MatrixUpload.objects.create(file=stored, uploaded_by=actor)


def read(upload: MatrixUpload) -> bytes:
    """The workbook's bytes."""
    with upload.file.file.open("rb") as file:
        return file.read()


@transaction.atomic
def forget(upload: MatrixUpload) -> None:
    """Give an upload up; its file goes too unless a version was made of it."""
    stored = upload.file
    upload.delete()
    forget_file(stored)


def forget_old() -> None:
    """Give up what nobody came back to."""
    old = MatrixUpload.objects.filter(created_at__lt=timezone.now() - timedelta(days=KEPT_DAYS))
    for upload in old.select_related("file"):
        forget(upload)


def forget_file(stored: StoredFile) -> None:
    """Delete a file no version and no upload stands on, once the transaction holds."""
    if (
        ScenarioVersion.objects.filter(source_file=stored).exists()
        or MatrixUpload.objects.filter(file=stored).exists()
    ):
        return
    file = stored.file
    stored.delete()
    transaction.on_commit(lambda: file.storage.delete(file.name))
