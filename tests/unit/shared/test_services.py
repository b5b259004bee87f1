import threading

import pytest

from shared.services import Services


def test_a_service_is_replaced_by_name():
    services = Services().replace(ledger="another")

    assert services.ledger == "another"


def test_an_unknown_name_is_an_error():
    with pytest.raises(AttributeError, match="'ledgre'"):
        Services().replace(ledgre=None)


def test_many_threads_at_once_get_the_same_one():
    services, clocks = Services(), []
    threads = [threading.Thread(target=lambda: clocks.append(services.clock)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({id(clock) for clock in clocks}) == 1
