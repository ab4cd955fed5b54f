"""Starts PostgreSQL in a container as the official image does, for who cannot pull that.

The first start makes the database cluster: `POSTGRES_USER`, `POSTGRES_DB` and the file
`POSTGRES_PASSWORD_FILE`; `PGDATA` says where. Clients must give the password.
"""

import os
import pathlib
import shutil
import subprocess

(PROGRAMS,) = pathlib.Path("/usr/lib/postgresql").glob("*/bin")
DATA = pathlib.Path(os.environ["PGDATA"])
USER = os.environ["POSTGRES_USER"]

# initdb asks for the name of the user that it runs as; /etc/passwd points here.
pathlib.Path("/tmp/passwd").write_text(  # noqa: S108 - of the container
    f"postgres:x:{os.getuid()}:{os.getgid()}::/tmp:/bin/false\n"
)
if not (DATA / "PG_VERSION").exists():
    unfinished = DATA.with_name(f"{DATA.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    subprocess.run(
        [
            *(PROGRAMS / "initdb", "-D", unfinished, "-U", USER, "-E", "UTF8", "--locale=C"),
            *(f"--pwfile={os.environ['POSTGRES_PASSWORD_FILE']}", "-A", "scram-sha-256"),
        ],
        check=True,
    )
    with (unfinished / "pg_hba.conf").open("a") as rules:
        rules.write("host all all all scram-sha-256\n")
    subprocess.run(
        [PROGRAMS / "postgres", "--single", "-D", unfinished, "postgres"],
        input=f'CREATE DATABASE "{os.environ["POSTGRES_DB"]}"\n'.encode(),
        check=True,
    )
    unfinished.rename(DATA)
server = str(PROGRAMS / "postgres")
os.execv(  # noqa: S606 - it takes our place as the container's process
    server,
    [server, "-D", str(DATA), "-c", "listen_addresses=*", "-k", "/tmp"],  # noqa: S108
)
