"""`tunnel_of`: the tunnel that the options ask for; at most one way to the database may be named."""

from __future__ import annotations

from typing import Any

from rds_iam_magic.aws.endpoint import Endpoint
from rds_iam_magic.aws.session import require_text
from rds_iam_magic.connect_options import ConnectOptions
from rds_iam_magic.errors import OptionError
from rds_iam_magic.tunnels.ssh import read_ssh
from rds_iam_magic.tunnels.ssm import Ssm, read_ssm
from rds_iam_magic.tunnels.tunnel import Tunnel


def check_ways(options: ConnectOptions) -> None:
    """Check the options for tunnels, before anything is asked or started.

    Raises:
        OptionError: Two ways are named, or one is not valid.
    """
    ways = [name for name in ("via", "ssm", "ssh") if getattr(options, name) is not None]
    if len(ways) > 1:
        raise OptionError(f"{' and '.join(ways)} both say how the database is reached.", cause="ways-exclude")
    for name, read in (("ssm", read_ssm), ("ssh", read_ssh)):
        text = getattr(options, name)
        if text is not None:
            require_text(text, f"The option {name}")
            read(text)


def tunnel_of(options: ConnectOptions, session: Any, endpoint: Endpoint) -> Tunnel | None:
    """The tunnel to an endpoint, not opened yet; None if the options ask for none.

    Args:
        options: The options, checked.
        session: The boto3 session whose credentials an SSM session is started with.
        endpoint: Where it leads.
    """
    if options.ssm is not None:
        return Tunnel(Ssm(read_ssm(options.ssm), session, options.profile), endpoint)
    if options.ssh is not None:
        return Tunnel(read_ssh(options.ssh), endpoint)
    return None
