"""Append-only chains, one per subject. Only ledger.services writes here; triggers refuse the rest."""

from django.db import models


class Chain(models.Model):
    """The head of one subject's chain, e.g. `institution:6f1c…`; subjects are keys, not rows."""

    subject = models.CharField("对象键", max_length=128)
    head_seq = models.PositiveBigIntegerField(default=0)
    head_digest = models.CharField(max_length=128, blank=True)

    class Meta:
        # Not `unique=True`, which keeps a second index for LIKE; subjects are only ever asked for whole.
        constraints = [models.UniqueConstraint(fields=["subject"], name="ledger_one_chain_per_subject")]

    def __str__(self) -> str:
        return f"{self.subject}@{self.head_seq}"


class Entry(models.Model):
    """One step that mattered. `digest` covers every field and the entry before it."""

    id = models.BigAutoField(primary_key=True)
    chain = models.ForeignKey(Chain, on_delete=models.PROTECT, related_name="entries")
    seq = models.PositiveBigIntegerField("序号")
    at = models.DateTimeField("时间")
    kind = models.CharField("事项", max_length=64)
    actor = models.CharField("经办人键", max_length=64)
    department = models.CharField("部门键", max_length=64, blank=True)
    payload = models.JSONField(default=dict)
    previous = models.CharField("前一条摘要", max_length=128, blank=True)
    digest = models.CharField("摘要", max_length=128)
    algorithm = models.CharField("摘要算法", max_length=16)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chain", "seq"], name="ledger_one_entry_per_seq")]
        # The auditor turns pages by time, over everything or over one actor or kind.
        indexes = [
            models.Index(fields=["at", "id"], name="ledger_by_time"),
            models.Index(fields=["actor", "at", "id"], name="ledger_by_actor"),
            models.Index(fields=["kind", "at", "id"], name="ledger_by_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.seq}"


class Checkpoint(models.Model):
    """A digest over the heads of all chains at one moment; publishing it makes a later rewrite visible.

    The moment is `last_entry`: entries up to this id were written then, and none with a smaller id came later.
    """

    at = models.DateTimeField()
    last_entry = models.PositiveBigIntegerField("最后一条", default=0)
    chains = models.PositiveBigIntegerField("链数")
    entries = models.PositiveBigIntegerField("条目数")
    previous = models.CharField(max_length=128, blank=True)
    digest = models.CharField(max_length=128)
    algorithm = models.CharField(max_length=16)

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.digest[:12]}"
