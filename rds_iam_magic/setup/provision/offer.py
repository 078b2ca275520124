"""`Offer`: what AWS offers of an engine's version, asked before anything is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rds_iam_magic.errors import ProvisionError
from rds_iam_magic.setup.provision.calls import ask
from rds_iam_magic.setup.provision.request import Request
from rds_iam_magic.setup.provision.template import default_of

NAMES = {"aurora": "aurora-mysql", "mysql": "mysql"}
"""AWS's names of the engines."""

WANTED_LOGS = ("error", "iam-db-auth-error")


@dataclass(frozen=True, slots=True)
class Offer:
    """A version, and what it can do.

    Attributes:
        engine: AWS's name of the engine.
        version: The version.
        family: Its family of DB parameter groups.
        logs: Those of `WANTED_LOGS` that it exports.
        acus: The least and most capacity of Serverless v2; None if it has none.
        instead_of: The template's default version, if AWS does not offer it here.
    """

    engine: str
    version: str
    family: str
    logs: tuple[str, ...]
    acus: tuple[float, float] | None
    instead_of: str = ""


def find_offer(session: Any, request: Request, region: str) -> Offer:
    """What AWS offers of the wanted version; without one, of the template's default, else of AWS's own.

    Raises:
        ProvisionError: AWS does not offer the wanted version, or it has not the wanted capacity.
        AwsError: AWS cannot be asked.
    """
    name, default = NAMES[request.engine], default_of(request.engine, "EngineVersion")
    wanted, instead_of = request.engine_version or default, ""
    rows = _rows(session, {"Engine": name, "EngineVersion": wanted})
    row = next((row for row in rows if row["EngineVersion"] == wanted), None)
    if row is None and request.engine_version is None:
        rows, instead_of = _rows(session, {"Engine": name, "DefaultOnly": True}), default
        row = next(iter(rows), None)
    if row is None:
        # Of a version such as 8.4, AWS lists all that begin so.
        near = f", but {', '.join(str(row['EngineVersion']) for row in rows)}" if rows else ""
        raise ProvisionError(
            f"AWS does not offer {name} {wanted} in {region}{near}.",
            cause="engine-version-unknown",
            facts={"engine": name},
        )
    offer = _offer(row, instead_of)
    _check_capacity(request, offer)
    return offer


def _rows(session: Any, wanted: dict[str, Any]) -> list[dict[str, Any]]:
    part = "DBEngineVersions"
    rows = ask(session, "rds", "describe_db_engine_versions", "looking up versions", wanted, part=part)[part]
    return [dict(row) for row in rows if row.get("Status", "available") == "available"]


def _offer(row: dict[str, Any], instead_of: str) -> Offer:
    features = row.get("ServerlessV2FeaturesSupport") or {}
    acus = (float(features["MinCapacity"]), float(features["MaxCapacity"])) if "MaxCapacity" in features else None
    return Offer(
        engine=str(row["Engine"]),
        version=str(row["EngineVersion"]),
        family=str(row["DBParameterGroupFamily"]),
        logs=tuple(log for log in WANTED_LOGS if log in row.get("ExportableLogTypes", [])),
        acus=acus,
        instead_of=instead_of,
    )


def _check_capacity(request: Request, offer: Offer) -> None:
    if request.acus is None or offer.acus is None:  # not every answer has the limits; then AWS itself will tell
        return
    (low, high), (least, most) = request.acus, offer.acus
    if low < least or high > most:
        raise ProvisionError(
            f"{offer.engine} {offer.version} has {least:g} to {most:g} ACU, not {low:g} to {high:g}.",
            cause="capacity-not-offered",
        )
