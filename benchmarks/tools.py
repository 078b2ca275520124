"""How each tool reads a query's rows. A tool is set up (imports, connection) before the clock starts.

Each gives back what `measure.py` compares: a DataFrame, or None for the floor.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Run = Callable[[str], Any]


@dataclass(frozen=True)
class Server:
    """Where the server is and who may log in: for us the IAM user, for the others a password user."""

    host: str
    port: int
    ca: str
    user: str
    password: str

    @classmethod
    def of_environment(cls) -> Server:
        """As the parent process left it."""
        names = ("HOST", "PORT", "CA", "USER", "PASSWORD")
        host, port, ca, user, password = (os.environ[f"BENCH_{name}"] for name in names)
        return cls(host, int(port), ca, user, password)


def _session(server: Server) -> Any:
    """A session of this project's own driver, with a password: TLS as everywhere, verified for the endpoint."""
    import ssl

    from rds_iam_magic.aws.secret import Secret
    from rds_iam_magic.mysql.credential import Password
    from rds_iam_magic.mysql.dial import Address
    from rds_iam_magic.mysql.driver import open_session

    return open_session(
        Address("127.0.0.1", server.port),
        host=server.host,
        user=server.user,
        credential=Password(Secret(server.password)),
        context=ssl.create_default_context(cafile=server.ca),
        database=None,
        timeout=30,
    )


def floor(server: Server) -> Run:
    """Read the bytes and drop them."""
    session = _session(server)
    buffer = memoryview(bytearray(4 << 20))

    def run(sql: str) -> None:
        session.send(sql.encode())
        last = b""
        # The last packet is an EOF of five bytes, behind its header of four. A row that ends like it is not among
        # the shapes.
        while not (len(last) == 9 and last[:3] == b"\x05\0\0" and last[4] == 0xFE):
            count = session.read_into(buffer)
            last = (last + bytes(buffer[max(0, count - 9) : count]))[-9:]

    return run


def ours(server: Server) -> Run:  # noqa: ARG001 - it reads the sandbox's environment, as a user's notebook does
    """This project, with an IAM token."""
    import rds_iam_magic

    connection = rds_iam_magic.connect("sandbox", user="bench_iam", max_memory="64 GB")
    return connection.query


def _pymysql_options(server: Server) -> dict[str, Any]:
    import ssl

    context = ssl.create_default_context(cafile=server.ca)
    context.check_hostname = False  # these tools cannot name the endpoint of a tunnel; the chain is verified
    login = {"user": server.user, "password": server.password}
    return {"host": "127.0.0.1", "port": server.port, **login, "ssl": context, "charset": "utf8mb4"}


def pymysql(server: Server) -> Run:
    """PyMySQL and a DataFrame of its tuples."""
    import pandas as pd
    import pymysql as driver

    connection = driver.connect(**_pymysql_options(server))

    def run(sql: str) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return pd.DataFrame(cursor.fetchall(), columns=[column[0] for column in cursor.description])

    return run


def bare_pymysql(server: Server) -> Run:
    """PyMySQL without a DataFrame: what `SELECT 1` is compared with."""
    import pymysql as driver

    connection = driver.connect(**_pymysql_options(server))

    def run(sql: str) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    return run


def read_sql(server: Server) -> Run:
    """`pandas.read_sql` through SQLAlchemy and PyMySQL."""
    import pandas as pd
    import sqlalchemy

    engine = sqlalchemy.create_engine("mysql+pymysql://", connect_args=_pymysql_options(server))
    connection = engine.connect()
    return lambda sql: pd.read_sql(sqlalchemy.text(sql), connection)


def jupysql(server: Server) -> Run:
    """`%sql` of jupysql, with autopandas."""
    import sqlalchemy
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "sql")
    for name, value in (("autopandas", True), ("feedback", 0), ("displaycon", False), ("displaylimit", 0)):
        shell.run_line_magic("config", f"SqlMagic.{name} = {value}")
    shell.user_ns["engine"] = sqlalchemy.create_engine("mysql+pymysql://", connect_args=_pymysql_options(server))
    shell.run_line_magic("sql", "engine")
    return lambda sql: shell.run_cell_magic("sql", "", sql)


def mysqlclient(server: Server) -> Run:
    """Mysqlclient (C) and a DataFrame of its tuples."""
    import MySQLdb
    import pandas as pd

    connection = MySQLdb.connect(
        host="127.0.0.1",
        port=server.port,
        user=server.user,
        password=server.password,
        ssl={"ca": server.ca},
        charset="utf8mb4",
    )

    def run(sql: str) -> Any:
        cursor = connection.cursor()
        cursor.execute(sql)
        return pd.DataFrame(list(cursor.fetchall()), columns=[column[0] for column in cursor.description])

    return run


def connectorx(server: Server) -> Run:
    """Connectorx into pandas; without TLS, as it has none for MySQL."""
    import connectorx as driver

    url = f"mysql://{server.user}:{server.password}@127.0.0.1:{server.port}/bench"
    return lambda sql: driver.read_sql(url, sql, protocol="binary")


def magic(server: Server) -> Run:  # noqa: ARG001 - as `ours`
    """`%%rds_sql` in an IPython shell: what `SELECT 1` is measured through."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "rds_iam_magic")
    shell.run_line_magic("rds_iam_connect", "sandbox -u bench_iam")
    return lambda sql: shell.run_cell_magic("rds_sql", "", sql)


TOOLS: dict[str, Callable[[Server], Run]] = {
    "ours": ours,
    "floor": floor,
    "connectorx": connectorx,
    "mysqlclient": mysqlclient,
    "pymysql": pymysql,
    "read_sql": read_sql,
    "jupysql": jupysql,
}
LATENCY_TOOLS: dict[str, Callable[[Server], Run]] = {**TOOLS, "ours": magic, "pymysql": bare_pymysql}
