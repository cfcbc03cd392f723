from django.db import models


class DisclosureState(models.TextChoices):
    PUBLISHED = "PUBLISHED", "已公示"
    WITHDRAWN = "WITHDRAWN", "已撤回"


DISCLOSURE_TRANSITIONS = {
    DisclosureState.PUBLISHED: {DisclosureState.WITHDRAWN},
    DisclosureState.WITHDRAWN: set(),
}


class Event(models.TextChoices):
    """Kinds of ledger entries this app writes: on the institution's chain, and on the account's that exported."""

    DISCLOSED = "disclosure.published", "公示结果"
    WITHDRAWN = "disclosure.withdrawn", "撤回公示"
    TRAIL_EXPORTED = "trail.exported", "导出审计留痕"
