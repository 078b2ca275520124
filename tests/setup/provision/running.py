"""What the tests of stacks have in common."""

import pytest

from rds_iam_magic.errors import AwsError, ProvisionError
from rds_iam_magic.hints import Interface
from rds_iam_magic.setup.provision import deleting
from tests.support.permissions import only


def delete(session, told, stack="team-db", *, yes=True):
    return deleting.delete(session, stack, yes=yes, notify=told.append)


def failure(function, *arguments, **named):
    """The error that a function raises, as a notebook spells it."""
    with pytest.raises(ProvisionError) as caught:
        function(*arguments, **named)
    caught.value.interface = Interface.NOTEBOOK
    return caught.value


def lacking(inside, permissions, missing, function):
    """Call a function with a profile that has all of the permissions but one, which its error names."""
    with only(inside, *(action for action in permissions if action != missing)) as profile:
        with pytest.raises(AwsError) as caught:
            function(profile)
    assert caught.value.cause == "permission-missing"
    assert caught.value.message.endswith(f"with these credentials: {missing} is missing.")
    assert missing in caught.value.hint
