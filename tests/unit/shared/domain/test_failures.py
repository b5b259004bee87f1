from shared.domain.failures import FailureKind


def test_only_what_is_throttled_or_unavailable_may_pass():
    assert {kind for kind in FailureKind if kind.may_pass} == {FailureKind.THROTTLED, FailureKind.UNAVAILABLE}
