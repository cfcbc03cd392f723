"""The one form over HTTP: answers and photos under ids the phone made, safe to send twice."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import api_view, parser_classes
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import DomainError, StaleError
from departments.access import polled, signed_in
from departments.models import User
from inspections.api.serializers import (
    REFUSAL,
    STALE,
    AnswerResultSerializer,
    AnswerSerializer,
    PhotoSerializer,
    PhotoUploadSerializer,
    TaskStateSerializer,
)
from inspections.models import Answer, Photo, Task, TaskItem
from inspections.services import answers, photos, sheets, visits
from inspections.services.sheets import ItemLine, Sheet

# Refusals that are about when, not about what was sent.
CONFLICTS = {"stale", "closed", "answer_id_reused", "photo_id_reused"}


@polled
@extend_schema(responses={200: TaskStateSerializer, 304: None, 404: REFUSAL})
@signed_in
@api_view(["GET"])
def task_state(request: Request, task: UUID) -> Response:
    """The form as it stands. With `If-None-Match` of the last ETag: 304 while nothing changed."""
    visit = _visit(request.user, task)
    etag = f'"{sheets.version(visit)}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if request.headers.get("If-None-Match") == etag:
        return Response(status=status.HTTP_304_NOT_MODIFIED, headers=headers)
    body = TaskStateSerializer(_sheet(sheets.read_sheet(visit, request.user))).data
    return Response(body, headers=headers)


@extend_schema(
    request=AnswerSerializer,
    responses={200: AnswerResultSerializer, 400: REFUSAL, 403: REFUSAL, 404: REFUSAL, 409: STALE},
)
@signed_in
@api_view(["PUT"])
def task_answer(request: Request, task: UUID, answer: UUID) -> Response:
    """Write one item under the phone's own id; the same id again answers the same and writes nothing.

    409 `stale` carries the item as it stands, 409 `closed` says the form is submitted, 400 names the fields.
    """
    visit = _visit(request.user, task)
    visits.require_assigned(visit, request.user)
    body = AnswerSerializer(data=request.data)
    if not body.is_valid():
        return _invalid(body.errors)
    sent = dict(body.validated_data)
    item = TaskItem.objects.select_related("task").filter(pk=sent.pop("item"), task=visit).first()
    if item is None:
        return _refuse(DomainError("该事项不在此表单上。", fields={"item": "该事项不在此表单上。"}))
    try:
        answers.answer(item, answer_id=answer, actor=request.user, **sent)
    except StaleError as error:
        line = sheets.read_line(visit, item, request.user)
        body = {"detail": error.message, "code": error.code, "current": _item(line)}
        return Response(body, status=status.HTTP_409_CONFLICT)
    except DomainError as error:
        return _refuse(error)
    # A replay answers what it answered first, not what others wrote since.
    kept = Answer.objects.get(pk=answer)
    return Response({"item": item.pk, "rev": kept.rev, "value": kept.value})


@extend_schema(
    methods=["PUT"],
    request={"multipart/form-data": PhotoUploadSerializer},
    responses={
        200: PhotoSerializer,
        201: PhotoSerializer,
        400: REFUSAL,
        403: REFUSAL,
        404: REFUSAL,
        409: REFUSAL,
    },
)
@extend_schema(methods=["DELETE"], responses={204: None, 403: REFUSAL, 404: REFUSAL, 409: REFUSAL})
@signed_in
@api_view(["PUT", "DELETE"])
@parser_classes([MultiPartParser])
def task_photo(request: Request, task: UUID, photo: UUID) -> Response:
    """Attach a photo to an item (201, or 200 when it is there already), or take it off the open form (204)."""
    visit = _visit(request.user, task)
    return (
        _delete_photo(request, visit, photo)
        if request.method == "DELETE"
        else _put_photo(request, visit, photo)
    )


def _put_photo(request: Request, visit: Task, photo_id: UUID) -> Response:
    visits.require_assigned(visit, request.user)
    body = PhotoUploadSerializer(data=request.data)
    if not body.is_valid():
        return _invalid(body.errors)
    item = TaskItem.objects.select_related("task").filter(pk=body.validated_data["item"], task=visit).first()
    if item is None:
        return _refuse(DomainError("该事项不在此表单上。", fields={"item": "该事项不在此表单上。"}))
    is_new = not Photo.objects.filter(pk=photo_id).exists()
    try:
        kept = photos.attach_photo(
            item, photo_id=photo_id, upload=body.validated_data["file"], actor=request.user
        )
    except DomainError as error:
        return _refuse(error)
    return Response(_photo(kept), status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)


def _delete_photo(request: Request, visit: Task, photo_id: UUID) -> Response:
    photo = get_object_or_404(
        Photo.objects.select_related("task_item__task", "task_item__department"),
        pk=photo_id,
        task_item__task=visit,
    )
    photos.remove_photo(photo, actor=request.user)
    return Response(status=status.HTTP_204_NO_CONTENT)


def _visit(user: User, pk: UUID) -> Task:
    return get_object_or_404(Task.objects.visible_to(user).select_related("institution__town"), pk=pk)


def _refuse(error: DomainError) -> Response:
    code = status.HTTP_409_CONFLICT if error.code in CONFLICTS else status.HTTP_400_BAD_REQUEST
    return Response({"detail": error.message, "code": error.code, "fields": error.fields}, status=code)


def _invalid(errors: Any) -> Response:
    fields = dict(_flat(errors))
    detail = next(iter(fields.values()), "内容不完整。")
    return Response(
        {"detail": detail, "code": "invalid", "fields": fields}, status=status.HTTP_400_BAD_REQUEST
    )


def _flat(errors: Any, path: str = "") -> list[tuple[str, str]]:
    """DRF's nested errors as ("findings.0.days", "…") pairs."""
    if isinstance(errors, dict):
        pairs = [(f"{path}.{key}".lstrip("."), value) for key, value in errors.items()]
    elif isinstance(errors, list) and any(isinstance(value, dict | list) for value in errors):
        pairs = [(f"{path}.{index}", value) for index, value in enumerate(errors) if value]
    else:
        return [(path, " ".join(str(value) for value in errors))]
    return [found for key, value in pairs for found in _flat(value, key)]


def _sheet(sheet: Sheet) -> dict[str, Any]:
    return {
        "task": sheet.task.pk,
        "state": sheet.task.state,
        "label": sheet.task.get_state_display(),
        "departments": [
            {
                "department": part.department.code,
                "name": part.department.short_name,
                "done": part.done,
                "total": part.total,
                "signed": len(part.signatures),
            }
            for part in sheet.parts
        ],
        "items": [_item(line) for line in sheet.lines],
        "signatures": len(sheet.signatures),
    }


def _item(line: ItemLine) -> dict[str, Any]:
    item = line.item
    return {
        "item": item.pk,
        "department": item.department.code,
        "name": item.item.name,
        "value": item.value,
        "label": item.get_value_display(),
        "note": item.note,
        "rev": item.rev,
        "answered_by": item.answered_by.name if item.answered_by else "",
        "answered_at": item.answered_at,
        "writable": line.is_writable,
        "findings": [
            {
                "row": found.row.pk,
                "severity": found.finding.severity,
                "disposition": found.finding.disposition,
                "days": found.finding.days,
                "fact": found.finding.fact,
            }
            for found in line.found
        ],
        "photos": [_photo(photo) for photo in line.photos],
    }


def _photo(photo: Photo) -> dict[str, Any]:
    return {
        "id": photo.pk,
        "item": photo.task_item_id,
        "url": reverse("inspections:photo", args=[photo.pk]),
        "digest": photo.file.digest,
        "name": photo.file.name,
    }
