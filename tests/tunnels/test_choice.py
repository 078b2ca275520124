"""At most one way to the database may be named."""

from itertools import combinations

import pytest

from rds_iam_magic.aws.endpoint import Endpoint
from rds_iam_magic.connect_options import ConnectOptions
from rds_iam_magic.errors import OptionError
from rds_iam_magic.hints import Interface
from rds_iam_magic.tunnels.choice import check_ways, tunnel_of

WAYS = {"via": "127.0.0.1:3307", "ssm": "i-1", "ssh": "bastion"}
ENDPOINT = Endpoint("sales.abc.us-east-1.rds.amazonaws.com", "us-east-1")


@pytest.mark.parametrize("names", [*combinations(WAYS, 2)])
def test_two_ways(names):
    with pytest.raises(OptionError, match=f"^{names[0]} and {names[1]} both say how") as caught:
        check_ways(ConnectOptions(**{name: WAYS[name] for name in names}))
    assert 'via="HOST:PORT"' in caught.value.hint
    caught.value.interface = Interface.NOTEBOOK
    assert "--ssm INSTANCE_ID and --ssh HOST" in caught.value.hint


def test_one_way():
    for name, value in WAYS.items():
        options = ConnectOptions(**{name: value})
        check_ways(options)
        tunnel = tunnel_of(options, None, ENDPOINT)
        assert str(tunnel or "") == ("" if name == "via" else f"{name} {value}")
    assert tunnel_of(ConnectOptions(), None, ENDPOINT) is None
    assert repr(tunnel) == f"<Tunnel ssh bastion to {ENDPOINT}>"


@pytest.mark.parametrize("options", [{"ssm": ""}, {"ssh": "  "}, {"ssh": "-oProxyCommand=x"}, {"ssm": "-x"}])
def test_what_is_not_valid(options):
    with pytest.raises(OptionError):
        check_ways(ConnectOptions(**options))
