"""An app with the app's two orchestrators by name, which do nothing but wait for their stop."""

import json

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.orchestration_trigger(context_name="context")
def ingest_window(context: df.DurableOrchestrationContext):
    yield context.wait_for_external_event("stop")
    return context.get_input()


@app.orchestration_trigger(context_name="context")
def enrich_window(context: df.DurableOrchestrationContext):
    yield context.wait_for_external_event("stop")
    return context.get_input()


@app.route(route="binding")
@app.durable_client_input(client_name="client")
async def binding(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Hand out what a client is made of, so that a test can make one."""
    made_of = client._orchestration_bindings
    parts = {
        "taskHubName": made_of.task_hub_name,
        "creationUrls": made_of.creation_urls,
        "managementUrls": made_of.management_urls,
        "rpcBaseUrl": made_of.rpc_base_url,
    }
    return func.HttpResponse(json.dumps(parts), mimetype="application/json")
