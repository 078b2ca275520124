"""`Plan`: what will be made, in words with what it costs, and as the template's parameters. No I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rds_iam_magic.setup.provision.network import Network
from rds_iam_magic.setup.provision.offer import WANTED_LOGS, Offer
from rds_iam_magic.setup.provision.request import Request

# Of us-east-1, in US dollars; other regions cost more or less, and prices change: the words say "about".
_ACU_HOUR = 0.12
_ADDRESS_HOUR = 0.005
_SECRET_MONTH = 0.40
_CLASS_HOURS = {"db.t4g.micro": 0.016, "db.t4g.small": 0.032, "db.t4g.medium": 0.065}
_MONTH = 730  # hours


@dataclass(frozen=True, slots=True)
class Plan:
    """A checked request with all that was looked up for it."""

    request: Request
    offer: Offer
    network: Network
    region: str

    def parameters(self) -> dict[str, str]:
        """The template's parameters."""
        return {
            **self.request.parameters(),
            "Vpc": self.network.vpc,
            "Subnets": ",".join(self.network.subnets),
            "EngineVersion": self.offer.version,
            "ParameterFamily": self.offer.family,
            "Logs": ",".join(self.offer.logs),
        }

    def lines(self) -> Iterator[str]:
        """What will be made, for whom, and what it costs."""
        request = self.request
        kind = "cluster of Aurora MySQL Serverless v2" if request.acus is not None else "instance of RDS for MySQL"
        article = "a" if request.acus is not None else "an"
        yield f"{request.stack}: {article} {kind}, version {self.offer.version}, in {self.region}."
        if self.offer.instead_of:
            yield f"AWS does not offer {self.offer.instead_of} here any more; {self.offer.version} is its own default."
        yield f"Where: {self.network}; {'a' if request.public else 'no'} public address."
        yield f"Who can reach it: {self._reached_by()}."
        yield f"Policy: lets its holders connect as {self._policy_user()}; it is attached to nobody yet."
        yield f"With it: {', '.join(self._comes_with())}."
        yield f"Costs: {self._costs()}"

    def _reached_by(self) -> str:
        source, is_reached = self.request.source, self.request.public
        if source.is_everybody:
            near = "within the VPC and the networks that are connected with it"
            return f"everybody {'on the internet' if is_reached else near}"
        if source.is_on_the_internet and not is_reached:
            return f"{source}, but only from within the VPC or a network that is connected with it"
        return str(source)

    def _policy_user(self) -> str:
        name = self.request.policy_user
        return "any database user that logs in with IAM" if name == "*" else f"the database user {name}"

    def _comes_with(self) -> Iterator[str]:
        yield "IAM authentication"
        yield "TLS required"
        yield "encrypted storage"
        yield "a master user whose password RDS keeps in a secret"
        if self.offer.logs:
            yield f"the logs {' and '.join(self.offer.logs)} in CloudWatch"
        if missing := [log for log in WANTED_LOGS if log not in self.offer.logs]:
            yield f"without the log {' and '.join(missing)}, which this version does not export"
        if self.request.protect:
            yield "deletion protection"

    def _costs(self) -> str:
        extra = (
            f"Storage, backups, logs and the secret (about {_SECRET_MONTH:.2f} USD a month) come on top. Prices are of "
            "us-east-1 and may have changed: https://aws.amazon.com/rds/pricing/"
        )
        hour = _ADDRESS_HOUR
        address = f"The public address costs about {hour:g} USD an hour, {hour * _MONTH:.0f} USD a month. "
        return f"{self._capacity_costs()} {address if self.request.public else ''}{extra}"

    def _capacity_costs(self) -> str:
        if self.request.acus is None:
            name = str(self.request.instance_class)
            if name in _CLASS_HOURS:
                hour = _CLASS_HOURS[name]
                return f"about {hour:g} USD an hour for {name}, {hour * _MONTH:.0f} USD a month, whether used or not."
            return f"an hourly price for {name}, whether used or not."
        low, high = self.request.acus
        most = f"up to {high:g} ACU in use, about {high * _ACU_HOUR:.2f} USD an hour"
        if low:
            return (
                f"{most}; at least {low:g} ACU, about {low * _ACU_HOUR:.2f} USD an hour or "
                f"{low * _ACU_HOUR * _MONTH:.0f} USD a month, whether used or not."
            )
        return f"{most}; nothing for capacity while it is paused, five minutes after the last connection has ended."
