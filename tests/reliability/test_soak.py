"""Twenty seconds of the soak test."""

from tests.reliability.soak import soak


def test_soak(own_sandbox):
    ledger = soak(own_sandbox, 20)
    assert ledger.cuts > 20
    assert ledger.rests > 20
    assert ledger.reads > 20
    assert len(ledger.acknowledged) > 20
    half = len(ledger.files) // 2
    assert max(ledger.files[half:]) <= max(ledger.files[:half]) + 5, "descriptors stay flat"
    assert min(ledger.memory[half:]) <= min(ledger.memory[:half]) + (40 << 20), "memory stays flat"
