"""What somebody is still writing."""

from django.conf import settings
from django.db import models

MOST_ADDRESS = 200


class Draft(models.Model):
    """A text as it stood when its form was last heard of. Nobody's business but its author's, so it has no history.

    `path` is the address of the form, whose guard decides anew each time whether its author may still come there;
    `version` is that of the row which the form showed (0: it showed none).
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="drafts")
    path = models.CharField(max_length=MOST_ADDRESS)
    field = models.CharField(max_length=50)
    text = models.TextField()
    version = models.PositiveIntegerField(default=0)
    saved_at = models.DateTimeField(db_index=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "path", "field"], name="one_draft")]

    def __str__(self) -> str:
        return f"{self.user} writes {self.field} at {self.path}"
