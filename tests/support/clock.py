"""botocore's clock, stopped; its name differs between versions."""

import datetime

import botocore.auth


def stop(monkeypatch, moment: datetime.datetime) -> None:
    """Have botocore sign as of `moment` (UTC)."""
    naive = moment.replace(tzinfo=None)

    class Clock(datetime.datetime):
        @classmethod
        def utcnow(cls):
            return naive

        @classmethod
        def now(cls, tz=None):
            return naive.replace(tzinfo=tz)

    if hasattr(botocore.auth, "get_current_datetime"):
        monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_, **__: naive)
    if hasattr(botocore.auth.datetime, "datetime"):
        monkeypatch.setattr(botocore.auth.datetime, "datetime", Clock)
    else:
        monkeypatch.setattr(botocore.auth, "datetime", Clock)
