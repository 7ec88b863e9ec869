"""The Azure Functions app: registers the blueprints of functions/."""

import azure.functions as func

from functions.chat import chat_routes
from functions.health import health_routes
from functions.models import model_routes
from functions.quotes import quote_routes
from functions.reference import reference_routes
from functions.settings import settings_routes
from functions.symbols import symbol_routes
from functions.unknown import unknown_routes
from shared.app import load_settings

# A configuration that cannot be used stops the start, with everything that is wrong in one message.
load_settings()

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

for blueprint in (
    chat_routes,
    health_routes,
    model_routes,
    quote_routes,
    reference_routes,
    settings_routes,
    symbol_routes,
    unknown_routes,
):
    app.register_functions(blueprint)
