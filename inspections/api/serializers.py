"""Bodies of the form's API. Rules live in the services; here only shapes and types."""

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from inspections.enums import AnswerValue, Disposition, Severity, TaskState

# A PostgreSQL bigint, so that a wild number is a 400 and not an error of the database.
MAX_ID = 2**63 - 1


class FindingSerializer(serializers.Serializer):
    row = serializers.IntegerField(min_value=1, max_value=MAX_ID, help_text="矩阵行，须在该事项的矩阵行之内")
    severity = serializers.CharField(help_text="、".join(f"{v} {label}" for v, label in Severity.choices))
    disposition = serializers.CharField(
        help_text="、".join(f"{v} {label}" for v, label in Disposition.choices)
    )
    days = serializers.IntegerField(
        required=False, allow_null=True, default=None, help_text="整改天数，自然日"
    )
    fact = serializers.CharField(allow_blank=True)


class AnswerSerializer(serializers.Serializer):
    item = serializers.IntegerField(min_value=1, max_value=MAX_ID, help_text="表单项")
    base_rev = serializers.IntegerField(min_value=0, max_value=2**31 - 1, help_text="填写时所见的版本")
    value = serializers.CharField(
        allow_blank=True, help_text="、".join(f"{v} {label}" for v, label in AnswerValue.choices)
    )
    note = serializers.CharField(required=False, allow_blank=True, default="")
    findings = FindingSerializer(many=True, required=False, default=list)


class AnswerResultSerializer(serializers.Serializer):
    item = serializers.IntegerField()
    rev = serializers.IntegerField()
    value = serializers.ChoiceField(AnswerValue.choices)


class PhotoUploadSerializer(serializers.Serializer):
    item = serializers.IntegerField(min_value=1, max_value=MAX_ID)
    file = serializers.FileField(allow_empty_file=True, help_text="JPEG、PNG 或 WebP")


class PhotoSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    item = serializers.IntegerField()
    url = serializers.CharField()
    digest = serializers.CharField()
    name = serializers.CharField()


class ItemSerializer(serializers.Serializer):
    """One item of the form as it stands."""

    item = serializers.IntegerField()
    department = serializers.CharField()
    name = serializers.CharField()
    value = serializers.ChoiceField(AnswerValue.choices, allow_blank=True)
    label = serializers.CharField()
    note = serializers.CharField()
    rev = serializers.IntegerField()
    answered_by = serializers.CharField()
    answered_at = serializers.DateTimeField(allow_null=True)
    writable = serializers.BooleanField()
    findings = FindingSerializer(many=True)
    photos = PhotoSerializer(many=True)


class ProgressSerializer(serializers.Serializer):
    department = serializers.CharField()
    name = serializers.CharField()
    done = serializers.IntegerField()
    total = serializers.IntegerField()
    signed = serializers.IntegerField()


class TaskStateSerializer(serializers.Serializer):
    """The form as it stands; the answer's ETag changes with it."""

    task = serializers.UUIDField()
    state = serializers.ChoiceField(TaskState.choices)
    label = serializers.CharField(help_text="状态的中文名称")
    departments = ProgressSerializer(many=True)
    items = ItemSerializer(many=True)
    signatures = serializers.IntegerField()


REFUSAL = inline_serializer(
    "Refusal",
    {
        "detail": serializers.CharField(),
        "code": serializers.CharField(),
        "fields": serializers.DictField(child=serializers.CharField()),
    },
)
STALE = inline_serializer(
    "Stale",
    {"detail": serializers.CharField(), "code": serializers.CharField(), "current": ItemSerializer()},
)
