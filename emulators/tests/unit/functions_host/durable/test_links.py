import json

from emulators.functions_host.durable.links import Links


def test_the_client_binding_names_hub_and_addresses():
    links = Links("http://127.0.0.1:1", "http://127.0.0.1:2/durabletask/", "Hub", "key")

    value = json.loads(links.client_binding())

    assert (value["taskHubName"], value["rpcBaseUrl"]) == ("Hub", "http://127.0.0.1:2/durabletask/")
    assert value["managementUrls"]["id"] in value["managementUrls"]["statusQueryGetUri"]
    assert links.of("i", "http://other:9")["terminatePostUri"].startswith(
        "http://other:9/runtime/webhooks/durabletask/"
    )
