"""Who may do what with a job, by its permissions."""

import pytest

from emulators.databricks.access import check_access, may
from emulators.databricks.definitions import make_job
from emulators.databricks.refusals import Refusal


def a_job(*permissions):
    return make_job("j", {"name": "j", "tasks": [], "permissions": list(permissions)})


APP = {"level": "CAN_MANAGE_RUN", "service_principal_name": "app"}


@pytest.mark.parametrize(
    ("level", "allowed"), [("CAN_VIEW", True), ("CAN_MANAGE_RUN", True), ("CAN_MANAGE", False), ("IS_OWNER", False)]
)
def test_a_level_holds_what_is_below_it_and_nothing_above(level, allowed):
    assert may(a_job(APP), "APP", level) is allowed


def test_a_stranger_to_a_job_that_names_its_people_may_nothing():
    with pytest.raises(Refusal) as refused:
        check_access(a_job(APP), "stranger", "CAN_VIEW")

    assert (refused.value.status, refused.value.error_code) == (403, "PERMISSION_DENIED")
    assert refused.value.message.startswith("User stranger does not have CAN_VIEW permissions on job ")


def test_the_group_of_all_users_and_a_job_without_permissions_let_everybody_in():
    everybody = {"level": "CAN_VIEW", "group_name": "users"}

    assert may(a_job(everybody), "stranger", "CAN_VIEW")
    assert not may(a_job(everybody), "stranger", "CAN_MANAGE_RUN")
    assert may(a_job(), "stranger", "IS_OWNER")
