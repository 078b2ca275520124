"""Commands as they go out: in as many packets as they need."""


def test_a_statement_of_several_packets(fresh):
    """16 MiB and more: the answer's packets are counted on from the statement's."""
    for size in (0xFFFFFF - 40, 17_000_000, 2 * 0xFFFFFF):
        assert fresh.query(f"SELECT LENGTH('{'x' * size}') AS n")["n"].tolist() == [size]
