"""The desk's own table. All other pages of the desk show tables of `store/` or data of other services."""

from django.db import models

from libs.django_store.bytewise import BYTEWISE


class StaffTokens(models.Model):
    """The encrypted tokens of one staff login. The session of the desk holds the key."""

    key = models.CharField(primary_key=True, max_length=40)  # 160 random bits in hex
    user_id = models.CharField(max_length=64, db_default="", db_collation=BYTEWISE)  # "": of an earlier release
    access = models.TextField()
    refresh = models.TextField(null=True)
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "desk_tokens"
        default_permissions = ()  # no page shows tokens
        indexes = [
            models.Index(fields=["expires_at"], name="desk_tokens_by_expiry"),
            models.Index(fields=["user_id"], name="desk_tokens_of_user"),
        ]

    def __str__(self) -> str:
        return f"tokens until {self.expires_at:%Y-%m-%d %H:%M} UTC"
