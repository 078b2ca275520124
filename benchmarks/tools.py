"""How each tool reads a query's rows. A tool is set up (imports, connection) before the clock starts.

Each returns what `values.py` compares: a DataFrame or an Arrow table. The rivals come first; `own_tools.py` has ours
and the floors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks import own_tools
from benchmarks.server import Run, Server


def _pymysql_options(server: Server) -> dict[str, Any]:
    import ssl

    context = ssl.create_default_context(cafile=server.ca)
    context.check_hostname = False  # these tools cannot name the endpoint of a tunnel; the chain is verified
    login = {"user": server.user, "password": server.password}
    return {"host": "127.0.0.1", "port": server.port, **login, "ssl": context, "charset": "utf8mb4", "autocommit": True}


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


def pymysql_tuples(server: Server) -> Run:
    """PyMySQL without a DataFrame."""
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
    connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
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
        autocommit=True,
    )

    def run(sql: str) -> Any:
        cursor = connection.cursor()
        cursor.execute(sql)
        return pd.DataFrame(list(cursor.fetchall()), columns=[column[0] for column in cursor.description])

    return run


def connectorx(server: Server) -> Run:
    """Connectorx into pandas; without TLS, as it has none for MySQL."""
    import connectorx as driver

    # On 127.0.0.1 it would change over to the server's Unix socket, which no other tool uses.
    url = f"mysql://{server.user}:{server.password}@127.0.0.1:{server.port}/bench?prefer_socket=false"
    return lambda sql: driver.read_sql(url, sql, protocol="binary")


def _duckdb(server: Server, compress: int) -> Callable[[str], Any]:
    """A query's relation in DuckDB, through its MySQL extension, over TLS whose chain is verified."""
    import duckdb as driver
    import duckdb_extensions

    duckdb_extensions.import_extension("mysql")
    connection = driver.connect()
    connection.execute("LOAD mysql")
    options = {
        "HOST": "127.0.0.1",  # it checks no host name there, whatever SSL_MODE says
        "USER": server.user,
        "PASSWORD": server.password,
        "SSL_MODE": "verify_ca",
        "SSL_CA": server.ca,
    }
    secret = ", ".join(f"{name} '{value}'" for name, value in options.items())
    connection.execute(f"CREATE SECRET s (TYPE mysql, PORT {server.port}, {secret})")
    connection.execute(f"ATTACH 'compress={compress}' AS db (TYPE mysql, SECRET s)")
    return lambda sql: connection.execute(f"SELECT * FROM mysql_query('db', $${sql}$$)")


def duckdb(server: Server, compress: int = 0) -> Run:
    """DuckDB into pandas."""
    relation = _duckdb(server, compress)
    return lambda sql: relation(sql).df()


def duckdb_arrow(server: Server) -> Run:
    """DuckDB into Arrow."""
    relation = _duckdb(server, 0)
    return lambda sql: relation(sql).to_arrow_table()


TOOLS: dict[str, Callable[[Server], Run]] = {
    **own_tools.TOOLS,
    "duckdb": duckdb,
    "duckdb-arrow": duckdb_arrow,
    "duckdb-zlib": lambda server: duckdb(server, compress=1),
    "connectorx": connectorx,
    "mysqlclient": mysqlclient,
    "pymysql": pymysql,
    "pymysql-tuples": pymysql_tuples,
    "read_sql": read_sql,
    "jupysql": jupysql,
}
"""All tools by name."""

THROUGHPUT = (
    "ours", "ours-text", "ours-arrow", "floor", "floor-binary", "duckdb", "duckdb-arrow", "connectorx", "mysqlclient",
    "pymysql", "read_sql", "jupysql",
)  # fmt: skip
"""The tools that read the big shapes."""
