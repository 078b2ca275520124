"""OK packets: what they say of the character sets, and of what a statement changed."""

import struct

import pytest

from rds_iam_magic.errors import ProtocolError
from rds_iam_magic.mysql.wire.charsets import Announced
from rds_iam_magic.mysql.wire.response import ResponseParser
from tests.support.packets import encoded, err, ok, packets
from tests.support.responses import feed


def changed(*variables, rest=b""):
    """An OK packet with what a session tracker says: of MySQL one entry a variable, of MariaDB all in one."""
    entries = b"".join(b"\x00" + encoded(b"".join(map(encoded, pair))) for pair in variables)
    return b"\x00\x00\x00" + struct.pack("<HH", 2 | 0x4000, 0) + b"\x04info" + encoded(entries + rest)


TRACKED = [(b"character_set_client", b"latin1"), (b"character_set_results", b"latin1")]


@pytest.mark.parametrize(
    "packet",
    [
        changed(*TRACKED),
        changed((*TRACKED[0], *TRACKED[1])),
        changed(*TRACKED, rest=b"\x01" + encoded(encoded(b"scratch")) + b"\x02\x02\x011"),
    ],
    ids=["an entry each", "one entry", "and a schema, and a state"],
)
def test_the_servers_words_on_the_character_sets(packet):
    announced = Announced(tracked=True)
    response = ResponseParser(announced=announced)
    data = packets([packet])
    response.get_buffer()[: len(data)] = data
    (event,) = response.buffer_updated(len(data))
    assert (event.info, event.affected_rows, event.status) == ("info", 0, 2 | 0x4000)
    assert (announced.client.name, announced.results.name) == ("latin1", "latin1")
    assert feed(packets([err(message=b"gr\xf6\xdfe")]))[0].message == "gr\\xf6\\xdfe", "another session's"


@pytest.mark.parametrize("tracked", [False, True])
def test_the_info_behind_its_length(tracked):
    response = ResponseParser(announced=Announced(tracked=tracked))
    data = packets([ok() + b"\x28Rows matched: 2  Changed: 2  Warnings: 0"])
    response.get_buffer()[: len(data)] = data
    assert response.buffer_updated(len(data))[0].info == "Rows matched: 2  Changed: 2  Warnings: 0"


@pytest.mark.parametrize("cut", range(1, 40))
def test_such_words_that_break_off(cut):
    packet = changed(*TRACKED)
    response = ResponseParser(announced=Announced(tracked=True))
    data = packets([packet[:-cut]])
    response.get_buffer()[: len(data)] = data
    with pytest.raises(ProtocolError):
        response.buffer_updated(len(data))


def test_the_info_of_an_update(fresh):
    """Its length in front is no part of it: 0x28 came as a parenthesis."""
    fresh.execute("CREATE OR REPLACE TABLE counted AS SELECT seq AS n FROM seq_1_to_2")
    (changed,) = fresh.run("UPDATE counted SET n = n + 1")
    assert changed.info == "Rows matched: 2  Changed: 2  Warnings: 0"
    fresh.execute("DROP TABLE counted")
