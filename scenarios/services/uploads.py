"""A printed matrix between its upload and its answers."""

import mimetypes
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from core import files
from core.errors import DomainError
from core.models import StoredFile
from core.spreadsheets import PASTED, Workbook, open_pasted, open_workbook
from departments.models import User
from scenarios.enums import ColumnRole
from scenarios.models import MatrixUpload, ScenarioVersion
from scenarios.services.importing import (
    Columns,
    Preview,
    chosen_header,
    import_matrix,
    preview,
    remember,
    require_importing,
)
from scenarios.services.importing.headings import Header
from scenarios.services.importing.reading import sheet_and_header

# An upload nobody came back to is given up after this many days.
KEPT_DAYS = 7
PASTED_TEXT, PASTED_HTML = "text/plain", "text/html"


@transaction.atomic
def keep(upload: UploadedFile, *, actor: User) -> MatrixUpload:
    """Keep an uploaded matrix for the questions that follow; nothing of it is imported yet.

    Raises DomainError for a file that is no table, PermissionDenied when its lead department is one the
    account may not import for.
    """
    data = files.read_upload(upload)
    _check(open_workbook(data, upload.name), actor)
    kind = mimetypes.guess_type(upload.name)[0] or "application/octet-stream"
    return _keep(data, upload.name, kind, actor)


@transaction.atomic
def keep_pasted(text: str, *, html: str = "", actor: User) -> MatrixUpload:
    """Keep a table pasted from the clipboard, with its HTML when that holds a table."""
    book = open_pasted(text, html=html)
    _check(book, actor)
    if book.sheets and book.sheets[0].merges_known:
        return _keep(html.encode(), f"{PASTED}.html", PASTED_HTML, actor)
    return _keep(text.encode(), f"{PASTED}.txt", PASTED_TEXT, actor)


def _check(workbook: Workbook, actor: User) -> None:
    """Refuse what has no text at all, and a list whose lead is another's to import for."""
    sheet_and_header(workbook)
    try:
        lead = preview(workbook).lead
    except DomainError:
        # What its columns mean is still to be said, and with that who leads.
        return
    if lead:
        require_importing(actor, lead)


def _keep(data: bytes, name: str, kind: str, actor: User) -> MatrixUpload:
    return MatrixUpload.objects.create(
        file=files.store(data, name=name, content_type=kind), uploaded_by=actor
    )


def opened(upload: MatrixUpload) -> Workbook:
    """The upload's sheets."""
    with upload.file.file.open("rb") as file:
        data = file.read()
    if upload.file.content_type == PASTED_TEXT and upload.file.name.startswith(PASTED):
        return open_pasted(data.decode())
    if upload.file.content_type == PASTED_HTML and upload.file.name.startswith(PASTED):
        return open_pasted("", html=data.decode())
    return open_workbook(data, upload.file.name)


def columns_of(upload: MatrixUpload) -> Columns | None:
    """What was said of the upload's columns, if anything was."""
    said = upload.columns
    if not said:
        return None
    return Columns(said["sheet"], said["top"], said["bottom"], tuple(map(ColumnRole, said["roles"])))


def header_of(upload: MatrixUpload, workbook: Workbook) -> tuple[str, Header]:
    """The sheet and header the upload is read by. Raises DomainError when none is found."""
    header, sheet = chosen_header(workbook, columns_of(upload))
    if header:
        return sheet, header
    found, proposed = sheet_and_header(workbook)
    return found.name, proposed


def wants_columns(upload: MatrixUpload, workbook: Workbook) -> bool:
    """Whether a person should say what the columns mean before anything else."""
    if columns_of(upload):
        return False
    known, _ = chosen_header(workbook, None)
    if known:
        return False
    _, header = sheet_and_header(workbook)
    named = [heading for heading in header.headings if heading.text]
    unclear = any(heading.role == ColumnRole.OTHER for heading in named)
    return unclear or ColumnRole.CHECK not in header.roles


def plan(upload: MatrixUpload, workbook: Workbook, *, may_create: bool = False) -> Preview:
    """What importing the upload would do with the answers given so far."""
    return preview(workbook, columns=columns_of(upload), answers=upload.answers, may_create=may_create)


@transaction.atomic
def set_columns(upload: MatrixUpload, columns: Columns) -> None:
    """Read the upload by these columns; what such headings mean is remembered once it is imported."""
    upload.columns = asdict(columns)
    upload.save(update_fields=["columns"])


@transaction.atomic
def answer(upload: MatrixUpload, answers: Mapping[str, str]) -> None:
    """Keep answers beside those given before."""
    current = MatrixUpload.objects.select_for_update().get(pk=upload.pk)
    current.answers = {**current.answers, **answers}
    current.save(update_fields=["answers"])
    upload.answers = current.answers


@transaction.atomic
def save_as_draft(
    upload: MatrixUpload, workbook: Workbook, *, actor: User, again: bool = False
) -> ScenarioVersion:
    """The upload becomes a draft and is no upload any more; what was said of its columns is remembered.

    Raises as `import_matrix`, and DomainError when it was saved or given up meanwhile.
    """
    current = MatrixUpload.objects.select_for_update().filter(pk=upload.pk).first()
    if current is None:
        raise DomainError("这次导入已保存或已放弃。")
    if said := columns_of(upload):
        header, _ = chosen_header(workbook, said)
        remember(header, actor=actor)
    version = import_matrix(
        workbook,
        digest=upload.file.digest,
        keep=lambda: upload.file,
        actor=actor,
        columns=columns_of(upload),
        answers=upload.answers,
        again=again,
    )
    upload.delete()
    return version


@transaction.atomic
def forget(upload: MatrixUpload) -> None:
    """Give an upload up; its file goes too unless a version was made of it."""
    stored = upload.file
    upload.delete()
    forget_file(stored)


@transaction.atomic
def forget_old() -> int:
    """Give up what nobody came back to; returns how many."""
    old = MatrixUpload.objects.filter(created_at__lt=timezone.now() - timedelta(days=KEPT_DAYS))
    uploads = list(old.select_related("file"))
    for upload in uploads:
        forget(upload)
    return len(uploads)


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
