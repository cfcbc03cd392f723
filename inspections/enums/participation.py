"""Scope, ticking, and how each department answers."""

from django.db import models


class ScopeSource(models.TextChoices):
    FILTER = "FILTER", "按条件"
    HAND = "HAND", "手工选择"


class SilenceRule(models.TextChoices):
    """What counts as ticked by a department that never answers; the lead chooses at launch."""

    NONE = "NONE", "不计任何事项"
    MANDATORY = "MANDATORY", "必查事项视为已勾选"


class ParticipationState(models.TextChoices):
    INVITED = "INVITED", "已通知"
    SEEN = "SEEN", "已查看"
    ANSWERED = "ANSWERED", "已勾选"
    OWN_SYSTEM = "OWN_SYSTEM", "使用自建系统"
    DECLINED = "DECLINED", "不参加"
    SILENT = "SILENT", "逾期未答复"


UNANSWERED = (ParticipationState.INVITED, ParticipationState.SEEN)
# They answered, and have nothing on the one form.
ABSTAINING = (ParticipationState.DECLINED, ParticipationState.OWN_SYSTEM)
ANSWERS = (ParticipationState.ANSWERED, *ABSTAINING)

PARTICIPATION_TRANSITIONS = {
    ParticipationState.INVITED: {
        ParticipationState.SEEN,
        *ANSWERS,
        ParticipationState.SILENT,
    },
    ParticipationState.SEEN: {*ANSWERS, ParticipationState.SILENT},
    ParticipationState.ANSWERED: set(ABSTAINING),
    ParticipationState.DECLINED: {ParticipationState.SEEN, ParticipationState.OWN_SYSTEM},
    ParticipationState.OWN_SYSTEM: {ParticipationState.SEEN, ParticipationState.DECLINED},
    # The lead may extend the deadline; the department is then asked again.
    ParticipationState.SILENT: {
        ParticipationState.INVITED,
        ParticipationState.SEEN,
        *ANSWERS,
    },
}


class RequestState(models.TextChoices):
    REQUESTED = "REQUESTED", "待答复"
    TICKED = "TICKED", "已勾选"
    REFUSED = "REFUSED", "未采纳"
