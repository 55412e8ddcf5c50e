"""The one record of who did what when: append-only, sealed by a hash chain for each stream."""

from django.db import models


class Stream(models.Model):
    """The head of one chain. Its sequence is also the change counter that pages poll."""

    name = models.CharField(max_length=64, unique=True)
    seq = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="", blank=True)

    def __str__(self) -> str:
        return f"{self.name} #{self.seq}"


class JournalEntry(models.Model):
    """One thing that was done. Never changed, never deleted (a trigger on PostgreSQL refuses both)."""

    stream = models.CharField(max_length=64)
    seq = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=16)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=200)
    verb = models.CharField(max_length=64)
    target_type = models.CharField(max_length=64)
    target_id = models.CharField(max_length=64)
    target_name = models.CharField(max_length=300)
    data = models.JSONField(default=dict)
    history = models.JSONField(default=dict)  # the rows of history it answers for: {model: {id: digest}}
    request_id = models.CharField(max_length=64, blank=True)
    ip = models.CharField(max_length=45, blank=True)
    prev_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["stream", "seq"], name="journal_seq_once")]
        indexes = [
            models.Index(fields=["target_type", "target_id", "-id"], name="journal_target"),
            models.Index(fields=["verb", "-id"], name="journal_verb"),
            models.Index(fields=["actor_kind", "actor_id", "-id"], name="journal_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.stream} #{self.seq} {self.verb}"
