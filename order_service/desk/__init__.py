"""The desk: the admin site for staff. Accounts of user_service with a role sign in to it and to the browsable API.

user_service checks each sign-in and is the only source of accounts and roles. `manage.py createsuperuser` makes a local account
for a long outage of user_service.
"""
