"""The resources of both templates as models of moto's CloudFormation, which knows no cluster and half of an instance.

To define a subclass of `CloudFormationModel` is to register it; the last one of a type counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar

from botocore import xform_name
from moto.core.common_models import CloudFormationModel
from moto.core.exceptions import ServiceException
from moto.iam.models import ManagedPolicy, iam_backends
from moto.moto_api._internal import mock_random
from moto.rds.exceptions import DBClusterNotFoundError, DBInstanceNotFoundError
from moto.rds.models import DBClusterParameterGroup, RDSBackend, rds_backends

from rds_iam_magic.sandbox.iam import PARTITION

TAKING_TIME = ("AWS::RDS::DBCluster", "AWS::RDS::DBInstance")
"""The types of resources that are not made at once."""


class _Resource:
    """What the models below have in common; CloudFormation's attributes by name are in `attributes`."""

    kind: ClassVar[str]
    named_by: ClassVar[str] = ""
    known: ClassVar[tuple[str, ...]] = ()

    def __init__(self, name: str, described: Mapping[str, Any]) -> None:
        self.physical_resource_id = name
        self.keeps_snapshot = described.get("DeletionPolicy") == "Snapshot"

    @classmethod
    def cloudformation_type(cls) -> str:
        return cls.kind

    @classmethod
    def cloudformation_name_type(cls) -> str:
        return cls.named_by

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr in cls.known

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
    ) -> Any:
        made = cls(resource_name, cloudformation_json)
        made.create(account_id, region_name, dict(cloudformation_json["Properties"]))
        return made

    def create(self, account: str, region: str, properties: dict[str, Any]) -> None:
        raise NotImplementedError

    def get_cfn_attribute(self, attribute_name: str) -> Any:
        return self.attributes()[attribute_name]

    def attributes(self) -> dict[str, Any]:
        return {}

    def is_created(self) -> bool:
        return True


class _Cluster(_Resource, CloudFormationModel):
    kind = "AWS::RDS::DBCluster"
    named_by = "DBClusterIdentifier"
    known = ("DBClusterResourceId", "Endpoint.Address", "Endpoint.Port", "MasterUserSecret.SecretArn",
             "ReadEndpoint.Address")  # fmt: skip

    def create(self, account: str, region: str, properties: dict[str, Any]) -> None:
        name = self.physical_resource_id = self.physical_resource_id.lower()
        backend = rds_backends[account][region]
        if name in backend.clusters:
            raise ServiceException("DBClusterAlreadyExistsFault", "DB Cluster already exists")
        self._made = backend.create_db_cluster({**_arguments(properties), "db_cluster_identifier": name})
        self._made.status = "available"  # a stack is complete when its databases are
        vars(self._made.master_user_secret)["_status"] = "active"

    def attributes(self) -> dict[str, Any]:
        made = self._made
        return {
            "DBClusterResourceId": made.db_cluster_resource_id,
            "Endpoint.Address": made.endpoint,
            "Endpoint.Port": str(made.port),
            "MasterUserSecret.SecretArn": made.master_user_secret.secret_arn,
            "ReadEndpoint.Address": made.reader_endpoint,
        }

    def delete(self, account: str, region: str) -> None:
        name = self.physical_resource_id
        with suppress(DBClusterNotFoundError):
            rds_backends[account][region].delete_db_cluster(name, _snapshot(name) if self.keeps_snapshot else None)


class _Instance(_Resource, CloudFormationModel):
    kind = "AWS::RDS::DBInstance"
    named_by = "DBInstanceIdentifier"
    known = ("DbiResourceId", "Endpoint.Address", "Endpoint.Port", "MasterUserSecret.SecretArn")

    def create(self, account: str, region: str, properties: dict[str, Any]) -> None:
        name = self.physical_resource_id = self.physical_resource_id.lower()
        properties["VpcSecurityGroupIds"] = properties.pop("VPCSecurityGroups", [])
        arguments = {**_arguments(properties), "db_instance_identifier": name}
        self._made = rds_backends[account][region].create_db_instance(arguments)
        if _has_secret(self._made):
            vars(self._made.master_user_secret)["_status"] = "active"
        self._made.dbi_resource_id = f"db-{mock_random.get_random_string(26, lower_case=False).upper()}"

    def attributes(self) -> dict[str, Any]:
        made = self._made
        secret = {"MasterUserSecret.SecretArn": made.master_user_secret.secret_arn} if _has_secret(made) else {}
        return {
            "DbiResourceId": made.dbi_resource_id,
            "Endpoint.Address": made.address,
            "Endpoint.Port": str(made.port),
            **secret,
        }

    def delete(self, account: str, region: str) -> None:
        name = self.physical_resource_id
        with suppress(DBInstanceNotFoundError):
            rds_backends[account][region].delete_db_instance(name, _snapshot(name) if self.keeps_snapshot else None)


class _ClusterParameters(_Resource, CloudFormationModel):
    kind = "AWS::RDS::DBClusterParameterGroup"

    def create(self, account: str, region: str, properties: dict[str, Any]) -> None:
        name = self.physical_resource_id = self.physical_resource_id.lower()
        backend: RDSBackend = rds_backends[account][region]
        group: DBClusterParameterGroup = backend.create_db_cluster_parameter_group(
            name, properties["Family"], properties["Description"], []
        )
        group.update_cluster_parameters(
            {"ParameterName": key, "ParameterValue": value} for key, value in properties["Parameters"].items()
        )

    def delete(self, account: str, region: str) -> None:
        rds_backends[account][region].delete_db_cluster_parameter_group(self.physical_resource_id)


class _Policy(_Resource, CloudFormationModel):
    """moto leaves the policy behind when the stack is deleted."""

    kind = "AWS::IAM::ManagedPolicy"

    def create(self, account: str, region: str, properties: dict[str, Any]) -> None:
        name = self.physical_resource_id
        made = ManagedPolicy.create_from_cloudformation_json(name, {"Properties": properties}, account, region)
        self.physical_resource_id = made.arn

    def delete(self, account: str, region: str) -> None:
        del region
        backend = iam_backends[account][PARTITION]
        if backend.get_policy(self.physical_resource_id).attachment_count:
            raise ServiceException("DeleteConflict", "Cannot delete a policy attached to entities.")
        backend.delete_policy(self.physical_resource_id)


def _arguments(properties: Mapping[str, Any]) -> dict[str, Any]:
    """A resource's properties as the arguments of moto's functions."""
    return {xform_name(key): _argument(value) for key, value in properties.items()}


def _argument(value: Any) -> Any:
    if isinstance(value, dict):
        return _arguments(value)
    if value in ("true", "false"):
        return value == "true"
    return getattr(value, "name", value)  # what Ref gives of moto's own models


def _has_secret(instance: Any) -> bool:
    return bool(instance.manage_master_user_password)


def _snapshot(name: str) -> str:
    return f"{name}-snapshot-{mock_random.get_random_string(12, lower_case=True)}"
