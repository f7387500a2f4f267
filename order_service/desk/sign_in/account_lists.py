"""Lists of accounts, groups and failed sign-ins on unfold's pages. Django's permissions decide what an account may do there."""

from axes.admin import AccessAttemptAdmin
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

for model in (User, Group, AccessAttempt, AccessFailureLog, AccessLog):
    admin.site.unregister(model)


@admin.register(User)
class DeskUserAdmin(UserAdmin, ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """The rows of accounts that have signed in, and local accounts."""

    form, add_form, change_password_form = UserChangeForm, UserCreationForm, AdminPasswordChangeForm
    list_display = ("username", "first_name", "email", "is_active", "last_login")
    list_filter = ("is_active", "groups")


@admin.register(Group)
class DeskGroupAdmin(GroupAdmin, ModelAdmin):
    """One group for each role, created by migrations."""


@admin.register(AccessAttempt)
class DeskAttemptAdmin(AccessAttemptAdmin, ModelAdmin):
    """Failed sign-ins. Deleting a row ends a lockout."""

    # A hierarchy asks MySQL to convert times, which has no table of time zones unless an operator loads it.
    date_hierarchy = None
    actions = ()  # without the one of axes that deletes rows and does not ask: the worker deletes what no longer counts
