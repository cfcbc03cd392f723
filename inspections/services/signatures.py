"""Signatures on the screen, each over the answers as they stood."""

import io
import warnings

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from PIL import Image

from core.errors import DomainError, StaleError
from core.files import store_image
from departments.models import Department, Officer, User
from inspections.enums import SignerKind
from inspections.models import Signature, Task, TaskOfficer
from inspections.services import visits

MAX_BYTES = 1024 * 1024


@transaction.atomic
def sign(
    task: Task,
    *,
    image: bytes,
    signer_name: str = "",
    kind: SignerKind,
    actor: User,
    department: Department | None = None,
    officer: Officer | None = None,
    seen: str = "",
) -> Signature:
    """Take one signature (PNG) under the digest of the answers as they stand; a second one replaces the first.

    `seen` is the digest of the answers the signer was shown; StaleError when they changed since.
    An assigned officer's phone takes the signatures of the officers sent to this visit, and of the
    institution's representative, whose name it gives. Raises PermissionDenied unless the actor is an
    assigned, certified officer; DomainError while an item of any department is unanswered, for an officer
    who was not sent or whose certificate is not valid, for an empty picture, and once submitted.
    """
    task = visits.lock_task(task)
    visits.require_certified(visits.require_assigned(task, actor))
    visits.require_open(task)
    missing = visits.unanswered(task)
    if missing:
        raise DomainError(f"还有 {missing} 项未填写，全部填写后才能签名。")
    if kind == SignerKind.OFFICER:
        department, signer_name = _officer_signing(task, officer, department)
    else:
        officer = department = None
        signer_name = signer_name.strip()
        if not signer_name:
            raise DomainError("请填写机构代表姓名。", fields={"signer_name": "请填写机构代表姓名。"})
    _refuse_unusable(image)
    digest = visits.answers_digest(task)
    if seen and seen != digest:
        raise StaleError("表单内容刚有变更，请重新核对后签名。")
    stored = store_image(SimpleUploadedFile("signature.png", image, content_type="image/png"))
    _remove(task.signatures.filter(kind=kind, officer=officer))
    return Signature.objects.create(
        task=task,
        kind=kind,
        officer=officer,
        department=department,
        signer_name=signer_name[:64],
        image=stored,
        answers_digest=digest,
    )


def answers_digest(task: Task) -> str:
    """What a signature given now would sign."""
    return visits.answers_digest(task)


def void(task: Task) -> int:
    """Remove the signatures of a form whose answers changed; returns how many there were."""
    return _remove(task.signatures.all())


def _officer_signing(
    task: Task, officer: Officer | None, department: Department | None
) -> tuple[Department, str]:
    sent = (
        TaskOfficer.objects.filter(task=task, officer=officer)
        .select_related("officer__user", "department")
        .first()
    )
    if officer is None or sent is None or (department is not None and department.pk != sent.department_id):
        raise DomainError("签名人不是本次检查的执法人员。", fields={"officer": "请选择本次检查的执法人员。"})
    visits.require_certified(sent)
    return sent.department, sent.officer.user.name


def _refuse_unusable(image: bytes) -> None:
    """Raise DomainError for a picture that is too large, no PNG, or shows no stroke."""
    problem = DomainError("签名图片无法识别，请重新签名。", fields={"image": "请重新签名。"})
    if not image or len(image) > MAX_BYTES:
        raise problem
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(image), formats=["PNG"]) as picture:
                strokes = picture.convert("RGBA").getextrema()
    except (
        OSError,
        SyntaxError,
        ValueError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        raise problem from error
    if all(low == high for low, high in strokes):
        raise DomainError("还没有签名，请在框内签名。", fields={"image": "请在框内签名。"})


def _remove(signatures) -> int:
    """Delete signatures with their pictures: nobody's hand is kept under what they did not sign."""
    removed = list(signatures.select_related("image"))
    for signature in removed:
        stored = signature.image
        signature.delete()
        stored.delete()
        transaction.on_commit(lambda file=stored.file: file.delete(save=False))
    return len(removed)
