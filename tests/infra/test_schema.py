"""The provider's schema as Terraform was given it: facts of its documentation, one of each kind."""

import pytest

SOURCE = "registry.terraform.io/hashicorp/azurerm"


@pytest.fixture(scope="module")
def schema(configuration):
    done = configuration.run("providers schema", "-json")
    (found,) = done.messages()
    return found["provider_schemas"][SOURCE]


@pytest.fixture
def block(schema):
    return lambda name: schema["resource_schemas"][f"azurerm_{name}"]["block"]


def test_it_has_all_resources_and_data_sources_of_the_provider(schema):
    assert len(schema["resource_schemas"]) == 1132
    assert len(schema["data_source_schemas"]) == 396


def test_an_argument_is_required_or_optional_and_a_result_is_computed(block):
    app = block("function_app_flex_consumption")["attributes"]

    assert app["runtime_version"] == {"type": "string", "description_kind": "plain", "required": True}
    assert app["app_settings"] == {"type": ["map", "string"], "description_kind": "plain", "optional": True}
    assert app["default_hostname"] == {"type": "string", "description_kind": "plain", "computed": True}
    assert app["id"] == {"type": "string", "description_kind": "plain", "optional": True, "computed": True}


def test_names_keep_their_digits_where_camel_case_has_lost_them(block):
    site = block("function_app_flex_consumption")["block_types"]["site_config"]["block"]["attributes"]

    assert {"use_32_bit_worker", "http2_enabled"} <= set(site)


def test_a_block_says_how_often_it_must_and_may_stand(block):
    blocks = block("function_app_flex_consumption")["block_types"]

    def bounds(name):
        return blocks[name].get("min_items"), blocks[name].get("max_items")

    assert bounds("site_config") == (1, 1)
    assert bounds("identity") == (None, 1)
    assert bounds("always_ready") == (None, None)
    assert blocks["timeouts"]["nesting_mode"] == "single"


def test_a_block_has_results_of_its_own_and_blocks_in_it(block):
    namespace = block("eventhub_namespace")["block_types"]["identity"]["block"]["attributes"]
    destination = block("eventhub")["block_types"]["capture_description"]["block"]["block_types"]["destination"]

    assert namespace["principal_id"]["computed"] is True
    assert destination["block"]["attributes"]["archive_name_format"]["required"] is True


def test_numbers_truths_and_objects_have_their_types(block):
    assert block("eventhub")["attributes"]["partition_count"]["type"] == "number"
    assert block("storage_account")["attributes"]["is_hns_enabled"]["type"] == "bool"
    rulesets = block("eventhub_namespace")["attributes"]["network_rulesets"]["type"]
    assert rulesets[0] == "list"
    assert rulesets[1][1]["default_action"] == "string"


def test_the_provider_itself_wants_its_features(schema):
    provider = schema["provider"]["block"]

    assert "subscription_id" in provider["attributes"]
    assert provider["block_types"]["features"]["block"]["block_types"].keys() >= {"key_vault", "storage"}
