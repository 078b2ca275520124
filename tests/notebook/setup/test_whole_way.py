"""From an empty account to a DataFrame, and back; and what becomes of stacks that fail."""

import json

import pytest

pytestmark = pytest.mark.slow  # servers and kernels


def test_the_whole_way(shell, inside):
    """Deploy, user, policy, connect, query, delete: each one cell."""
    iam = inside.client("iam")
    shown = shell.ok("%rds_iam_provision deploy team-db --from 10.0.0.0/8").output
    print(shown)
    made = shell.ok("%rds_iam_provision deploy team-db --from 10.0.0.0/8 --yes").output
    print(made)
    again = shell.ok("%rds_iam_provision deploy team-db --from 10.0.0.0/8 --yes").output
    print(again)
    outputs = {k: v for k, v in inside_outputs(inside).items()}
    print(outputs)
    print(shell.ok(f"%rds_iam_user create ana --secret {outputs['AuroraSecret']} --grant 'SELECT ON shop.*'").output)
    refused = shell("%rds_iam_connect team-db -u ana -d shop --profile stranger")
    print(refused.output)
    iam.attach_user_policy(UserName="stranger", PolicyArn=outputs["ConnectPolicyArn"])
    print(shell.ok(f"%rds_iam_connect {outputs['AuroraEndpoint']} -u ana -d shop --profile stranger").output)
    frame = shell.ok("%rds_sql SELECT COUNT(*) AS n FROM orders").value
    print(frame)
    print(shell.ok("%rds_iam_provision status team-db").output)
    print(shell.ok("%rds_iam_provision delete team-db").output)
    print(shell.ok("%rds_iam_provision delete team-db --yes").output)
    print(shell("%rds_iam_connect team-db -u ana -d shop --profile stranger -A b").output)
    assert json
    assert 0


def inside_outputs(sandbox):
    stack = sandbox.client("cloudformation").describe_stacks(StackName="team-db")["Stacks"][0]
    return {row["OutputKey"]: row["OutputValue"] for row in stack["Outputs"]}
