"""Who may sit at the desk: accounts of user_service with a role sign in to the admin pages and the browsable API.

user_service is asked at each sign-in and is the only source of accounts and roles; `manage.py createsuperuser` makes a local one
for the day on which it is away for long.
"""
