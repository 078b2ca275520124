"""RDS Proxy, as far as moto lacks it.

- Proxies are named `NAME.proxy-ID.…`, as on AWS, and may have further endpoints.
- `DefaultAuthScheme` is kept, and `ModifyDBProxy` changes it and `Auth`, so that IAM can be switched off.
- A cluster that is a proxy's target is described with its members, whose health is that of the last order.
"""

from __future__ import annotations

from typing import Any

from rds_iam_magic.sandbox.moto.changes import add_actions, after, fault, result
from rds_iam_magic.sandbox.moto.rds import SMALL, text_of

AVAILABLE = {"State": "AVAILABLE"}


def amend() -> None:
    """Change moto's proxies; once for the process."""
    from moto.rds import models
    from moto.rds.responses import RDSResponse

    of: Any = models  # what is changed is not what mypy knows
    after(of.DBProxy, "__init__", _name_proxy)
    after(RDSResponse, "create_db_proxy", _keep_default_authentication)
    add_actions(RDSResponse, _ACTIONS)


def takes_tokens(proxy: Any) -> bool:
    """Whether clients may log in to it with IAM."""
    return proxy.default_auth_scheme == "IAM_AUTH" or any(
        auth.get("IAMAuth") in ("REQUIRED", "ENABLED") for auth in proxy.auth
    )


def hosts_of(proxy: Any) -> list[str]:
    """The host names of all its endpoints."""
    return [proxy.endpoint, *(row["Endpoint"] for row in proxy.further_endpoints.values())]


def _name_proxy(proxy: Any) -> None:
    proxy.endpoint = f"{proxy.db_proxy_name}.proxy-{proxy.url_identifier}.{proxy.region}.rds.amazonaws.com"
    proxy.default_auth_scheme = "NONE"
    proxy.further_endpoints = {}
    proxy.health = AVAILABLE


def _keep_default_authentication(response: Any) -> None:
    proxy = response.backend.db_proxies[response.params["DBProxyName"]]
    proxy.default_auth_scheme = response.params.get("DefaultAuthScheme") or "NONE"


def create_db_proxy_endpoint(self: Any) -> Any:  # noqa: D103 - an action of RDS
    name, proxy = self.params["DBProxyEndpointName"], _proxy(self)
    of_account = proxy.arn.partition(":db-proxy:")[0]
    proxy.further_endpoints[name] = {
        "DBProxyEndpointName": name,
        "DBProxyEndpointArn": f"{of_account}:db-proxy-endpoint:prx-endpoint-{text_of(SMALL, 17)}",
        "DBProxyName": proxy.db_proxy_name,
        "Status": "available",
        "Endpoint": f"{name}.endpoint.proxy-{proxy.url_identifier}.{proxy.region}.rds.amazonaws.com",
        "TargetRole": self.params.get("TargetRole") or "READ_WRITE",
        "IsDefault": False,
    }
    return result(DBProxyEndpoint=proxy.further_endpoints[name])


def describe_db_proxy_endpoints(self: Any) -> Any:  # noqa: D103
    wanted = self.params.get("DBProxyEndpointName")
    proxies = [_proxy(self)] if self.params.get("DBProxyName") else list(self.backend.db_proxies.values())
    rows = [row for proxy in proxies for row in proxy.further_endpoints.values()]
    found = [row for row in rows if wanted in (None, row["DBProxyEndpointName"])]
    if wanted and not found:
        raise fault("rds", "DBProxyEndpointNotFoundFault", f"DB Proxy Endpoint {wanted} not found.")
    return result(DBProxyEndpoints=found)


def delete_db_proxy_endpoint(self: Any) -> Any:  # noqa: D103
    name = self.params["DBProxyEndpointName"]
    for proxy in self.backend.db_proxies.values():
        if name in proxy.further_endpoints:
            return result(DBProxyEndpoint=proxy.further_endpoints.pop(name))
    raise fault("rds", "DBProxyEndpointNotFoundFault", f"DB Proxy Endpoint {name} not found.")


def _proxy(response: Any) -> Any:
    return response.backend.describe_db_proxies(response.params["DBProxyName"])[0]


def modify_db_proxy(self: Any) -> Any:  # noqa: D103
    proxy = _proxy(self)
    for name, attribute in (
        ("Auth", "auth"),
        ("DefaultAuthScheme", "default_auth_scheme"),
        ("RequireTLS", "require_tls"),
    ):
        if self.params.get(name) is not None:
            setattr(proxy, attribute, self.params[name])
    return result(DBProxy=proxy)


def describe_db_proxy_targets(self: Any) -> Any:  # noqa: D103
    proxy = _proxy(self)
    rows: list[dict[str, Any]] = []
    for target in proxy.proxy_target_groups["default"].targets:
        cluster = self.backend.clusters.get(target.rds_resource_id)
        if cluster is None:
            rows.append(_member(self.backend.databases[target.rds_resource_id], proxy))
            continue
        row = {"Endpoint": cluster.endpoint, "RdsResourceId": cluster.db_cluster_identifier, "Port": cluster.port}
        rows.append({**row, "Type": "TRACKED_CLUSTER"})
        rows += [{**_member(each, proxy), "TrackedClusterId": row["RdsResourceId"]} for each in cluster.members]
    return result(Targets=rows)


def _member(instance: Any, proxy: Any) -> dict[str, Any]:
    return {
        "Endpoint": instance.address,
        "RdsResourceId": instance.db_instance_identifier,
        "Port": instance.port,
        "Type": "RDS_INSTANCE",
        "Role": "READ_WRITE",
        "TargetHealth": proxy.health,
    }


_ACTIONS = (
    create_db_proxy_endpoint,
    describe_db_proxy_endpoints,
    delete_db_proxy_endpoint,
    modify_db_proxy,
    describe_db_proxy_targets,
)
