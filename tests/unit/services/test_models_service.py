"""Which models can answer, and which one would."""

from shared.config import ConfigLoader
from shared.llm.factory import ModelClientFactory
from shared.services.models import ModelsService
from tests.canaries import CANARIES, leaked


def service(**environ: str) -> ModelsService:
    return ModelsService(ModelClientFactory(ConfigLoader(environ).load().model))


def test_overview_lists_every_provider_with_its_reason():
    """Available or not, with the way out, its models and without any key."""
    overview = {item.name: item for item in service(OPENAI_MODEL="m1").overview()}

    assert (overview["openai"].available, overview["openai"].reason) == (False, "no credentials: set OPENAI_API_KEY")
    assert (overview["offline"].available, overview["offline"].reason) == (True, None)
    assert overview["openai"].models[0] == overview["openai"].default_model == "m1"
    assert len(overview["openai"].models) == len({*overview["openai"].models})


def test_overview_shows_no_key():
    """A provider with a key is available; the key itself is nowhere."""
    models = service(OPENAI_API_KEY=CANARIES["OPENAI_API_KEY"])

    assert leaked(repr(models.overview()) + repr(models.selected())) == []
    assert [item.available for item in models.overview() if item.name == "openai"] == [True]


def test_selected_and_fallback_order_come_from_the_configuration():
    """What would answer a request that names nothing."""
    models = service(MODEL_PROVIDER="offline", MODEL_FALLBACK_ORDER="openai,offline")

    assert (models.selected().provider, models.fallback_order) == ("offline", ("openai", "offline"))


async def test_health_is_ok_while_something_can_answer():
    """Without a key the offline analyst can; what was passed over is in the operator's detail."""
    able, report = await service().health_check()

    assert able
    assert report["models"]["state"] == "ok"
    assert report["models"]["selected"] == "offline"
    assert "openai" in report["models"]["skipped"]


async def test_health_is_down_but_optional_when_nothing_can_answer():
    """Quotes and search still work."""
    assert await service(MODEL_ALLOW_FALLBACK="false").health_check() == (
        True,
        {"models": {"state": "down", "required": False, "selected": None}},
    )
