"""This project's own ways to read a query's rows, and the floors: the bytes alone, read by this project's driver."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from benchmarks.server import Run, Server, UnavailableError


def _connect(**options: Any) -> Any:
    """A connection with an IAM token; it finds the sandbox by its environment, as a user's notebook does."""
    import rds_iam_magic

    for option in options:
        _require(rds_iam_magic.connect, option)
    return rds_iam_magic.connect("sandbox", user="bench_iam", max_memory="64 GB", **options)


def _require(function: Callable[..., Any], argument: str) -> None:
    if argument not in inspect.signature(function).parameters:
        raise UnavailableError(f"{function.__name__} has no argument {argument} in this version")


def ours(server: Server) -> Run:  # noqa: ARG001 - see _connect
    """Into pandas."""
    return _connect().query


def ours_arrow(server: Server) -> Run:  # noqa: ARG001
    """Into Arrow."""
    return _connect().query_arrow


def ours_text(server: Server) -> Run:  # noqa: ARG001
    """Into pandas, by the text protocol, as through an RDS Proxy."""
    from rds_iam_magic.aws.endpoint import Kind
    from rds_iam_magic.connection.connection import Connection

    with _connect() as connection:
        login = connection.login
    return Connection(
        replace(login, endpoint=replace(login.endpoint, kind=Kind.PROXY)), max_memory=connection.max_memory
    ).query


def compressed(method: str) -> Callable[[Server], Run]:
    """Into pandas, compressed so."""
    return lambda server: _connect(compress=method).query  # noqa: ARG005


def parallel(parts: int) -> Callable[[Server], Run]:
    """Into pandas, in so many parts at once, as ranges of the column `id`."""

    def tool(server: Server) -> Run:  # noqa: ARG001
        connection = _connect()
        _require(connection.query, "parallel")

        def run(sql: str) -> Any:
            return connection.query(sql, parallel=parts, on="id") if "FROM" in sql else connection.query(sql)

        return run

    return tool


def magic(server: Server) -> Run:  # noqa: ARG001
    """Through `%%rds_sql` in an IPython shell."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "rds_iam_magic")
    shell.run_line_magic("rds_iam_connect", "sandbox -u bench_iam")
    return lambda sql: shell.run_cell_magic("rds_sql", "", sql)


def _session(server: Server) -> Any:
    """A session of the driver, with a password: TLS as everywhere, verified for the endpoint."""
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
    """The text protocol's bytes, read and dropped."""
    session = _session(server)
    drop = _dropper(session)

    def run(sql: str) -> None:
        session.send(sql.encode())
        drop(1)  # behind the columns

    return run


def floor_binary(server: Server) -> Run:
    """The binary protocol's bytes, read and dropped."""
    session = _session(server)
    drop = _dropper(session)

    def run(sql: str) -> None:
        session.prepare(sql.encode(), then_execute=True)
        drop(2)  # behind the columns of PREPARE, and those of EXECUTE

    return run


def _dropper(session: Any) -> Callable[[int], None]:
    """A function that reads a response to its end, given how many EOF packets come before the first row."""
    buffer = memoryview(bytearray(4 << 20))

    def drop(heads: int) -> None:
        head, place = b"", 0
        while heads:
            if len(head) < place + 5:
                head += buffer[: session.read_into(buffer)]
                continue
            size, first = int.from_bytes(head[place : place + 3], "little"), head[place + 4]
            if first == 0xFF:
                raise RuntimeError(bytes(head[place + 7 : place + 4 + size]).decode())
            heads -= size == 5 and first == 0xFE
            place += 4 + size
        last = head[place:][-9:]
        # The last packet is an EOF of five bytes, behind its header of four. No row of the shapes ends like it.
        while not (len(last) == 9 and last[:3] == b"\5\0\0" and last[4] == 0xFE):
            count = session.read_into(buffer)
            last = (last + bytes(buffer[max(0, count - 9) : count]))[-9:]

    return drop


TOOLS: dict[str, Callable[[Server], Run]] = {
    "ours": ours,
    "ours-text": ours_text,
    "ours-arrow": ours_arrow,
    "ours-off": compressed("off"),
    "ours-zlib": compressed("zlib"),
    "magic": magic,
    **{f"parallel-{parts}": parallel(parts) for parts in (1, 2, 4)},
    "floor": floor,
    "floor-binary": floor_binary,
}
