"""Accounts, groups and failed sign-ins in the desk's dress. What may be done to them is what their permissions say, as before."""

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
    """Rows that sign-ins keep, and local accounts."""

    form, add_form, change_password_form = UserChangeForm, UserCreationForm, AdminPasswordChangeForm
    list_display = ("username", "first_name", "email", "is_active", "last_login")
    list_filter = ("is_active", "groups")


@admin.register(Group)
class DeskGroupAdmin(GroupAdmin, ModelAdmin):
    """Made by migrations, one for each role."""


@admin.register(AccessAttempt)
class DeskAttemptAdmin(AccessAttemptAdmin, ModelAdmin):
    """Who failed to sign in; deleting a row lets somebody in again."""
