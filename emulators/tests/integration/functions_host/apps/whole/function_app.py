"""An app that uses everything the host serves."""

import azure.durable_functions as df
import azure.functions as func
from durable_part import bp as durable_part
from web_part import bp as web_part

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)
app.register_functions(web_part)
app.register_functions(durable_part)
