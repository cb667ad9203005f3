"""A Postgres of our own, on a socket in a directory: no port, no password, gone in the end."""

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = Path(os.path.realpath(shutil.which("postgres") or "/nowhere/postgres")).parent


@contextmanager
def postgres():
    """A URL of an empty database; None where there is no Postgres on this machine."""
    if not (PROGRAMS / "initdb").exists():
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="musespark-pg-", ignore_cleanup_errors=True) as place:
        root = os.geteuid() == 0
        if root:  # Postgres refuses to be run by root
            os.chmod(place, 0o755)
            account = pwd.getpwnam("postgres")
            os.chown(place, account.pw_uid, account.pw_gid)

        def run(*command):
            subprocess.run(
                [str(PROGRAMS / command[0]), *command[1:]],
                check=True,
                capture_output=True,
                cwd=place,
                user="postgres" if root else None,
            )

        data = f"{place}/data"
        run("initdb", "-D", data, "-U", "muse", "--auth=trust", "-N")
        run(
            "pg_ctl",
            "-D",
            data,
            "-w",
            "-o",
            f"-k {place} -c listen_addresses=''",
            "-l",
            f"{place}/log",
            "start",
        )
        try:
            yield f"postgresql://muse@/postgres?host={place}"
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "stop")
