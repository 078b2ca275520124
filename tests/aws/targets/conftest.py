"""A session that tells what it asks AWS."""

import pytest

from rds_iam_magic.aws.session import open_session


class Asking:
    """A session, and the operations that were called with it; `Operation@REGION` outside of us-east-1."""

    def __init__(self, **options):
        self.session = open_session(**options)
        self.calls = []
        self.session.events.register("before-call", self._note)

    def _note(self, model, request_signer, **_):
        region = request_signer.region_name
        self.calls.append(model.name if region == "us-east-1" else f"{model.name}@{region}")


@pytest.fixture
def asking(inside):
    assert inside.server.pid
    return Asking()
