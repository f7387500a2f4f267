"""The job `mysql-init`: an account for order_service that reads and writes rows, and one for its migrations that owns the tables.

It runs in the image of order_service and uses its driver. A second run sets passwords and rights again: it rotates the passwords
and revokes rights that the account of an older version has. The previous password stays valid until the next run.
"""

import sys

import MySQLdb

from libs.runtime.config import BaseConfig, Secret, load_or_exit

HOST = "mysql"
CONNECT_SECONDS = 10
RUN_TIME = ("SELECT", "INSERT", "UPDATE", "DELETE")
HELD = "SELECT privilege_type FROM information_schema.schema_privileges WHERE table_schema = %s AND grantee = %s"


class Config(BaseConfig):
    """The administrator's password, the database, and the accounts; or X_FILE for each."""

    mysql_root_password: Secret
    mysql_database: str
    mysql_user: str
    mysql_password: Secret
    mysql_migrate_user: str
    mysql_migrate_password: Secret


def main() -> int:
    """Return the exit status."""
    config = load_or_exit(Config, "mysql-init")
    place = "`{}`.*".format(config.mysql_database.replace("`", "``")).replace("%", "%%")
    run_time, migrate = config.mysql_user, config.mysql_migrate_user
    try:
        if run_time == migrate:
            raise ValueError("MYSQL_USER and MYSQL_MIGRATE_USER are the same")
        root = config.mysql_root_password.get_secret_value()
        connection = MySQLdb.connect(host=HOST, user="root", password=root, connect_timeout=CONNECT_SECONDS)
        cursor = connection.cursor()
        for account, password in ((run_time, config.mysql_password), (migrate, config.mysql_migrate_password)):
            given = (account, password.get_secret_value())
            cursor.execute("CREATE USER IF NOT EXISTS %s@'%%' IDENTIFIED BY %s", given)
            cursor.execute("ALTER USER %s@'%%' IDENTIFIED BY %s RETAIN CURRENT PASSWORD", given)
        cursor.execute(f"GRANT ALL PRIVILEGES ON {place} TO %s@'%%'", (migrate,))
        cursor.execute(f"GRANT {', '.join(RUN_TIME)} ON {place} TO %s@'%%'", (run_time,))
        cursor.execute(HELD, (config.mysql_database, f"'{run_time}'@'%'"))
        if more := [name for (name,) in cursor.fetchall() if name not in RUN_TIME]:
            cursor.execute(f"REVOKE {', '.join(more)} ON {place} FROM %s@'%%'", (run_time,))
    except (MySQLdb.Error, ValueError) as error:
        sys.stderr.write(f"mysql-init: not done: {str(error)[:200]}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
