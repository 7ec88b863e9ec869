"""A request sent twice is carried out once."""

import pytest

from shared.errors import Conflict
from shared.services import idempotency
from shared.services.idempotency import IdempotencyStore, Reservation, StoredResult
from tests.unit.fakes.clock import FakeClock

RESULT = StoredResult(b"{}", "application/json")


@pytest.fixture
def time() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(time) -> IdempotencyStore:
    return IdempotencyStore(pending_s=150, clock=time.clock)


def begin(store: IdempotencyStore, caller: str = "a", key: str = "k", fingerprint: str = "f"):
    return store.begin(caller, key, fingerprint)


def code_of(store: IdempotencyStore, **arguments: str) -> str:
    with pytest.raises(Conflict) as raised:
        begin(store, **arguments)
    assert raised.value.status == 409
    return raised.value.code


def test_first_request_may_be_carried_out(store):
    """It gets the right to do so."""
    assert isinstance(begin(store), Reservation)


def test_repeat_gets_the_first_result(store):
    """As often as it comes."""
    begin(store).complete(RESULT)

    assert [begin(store), begin(store)] == [RESULT, RESULT]


def test_repeat_while_the_first_runs_is_a_conflict(store):
    """Nobody waits, and nothing is done twice."""
    begin(store)

    assert code_of(store) == "in_progress"


def test_other_body_under_the_key_is_a_conflict(store):
    """Whether the first one runs or has ended."""
    reservation = begin(store)
    assert code_of(store, fingerprint="g") == "idempotency_key_reused"
    reservation.complete(RESULT)

    assert code_of(store, fingerprint="g") == "idempotency_key_reused"


def test_keys_belong_to_their_caller(store):
    """Another caller's result is never handed out."""
    begin(store).complete(RESULT)

    assert isinstance(begin(store, caller="b"), Reservation)


def test_released_request_may_be_tried_again(store):
    """A failure is not kept; the next attempt may even differ."""
    begin(store).release()

    assert isinstance(begin(store, fingerprint="g"), Reservation)


def test_whichever_comes_first_counts(store):
    """A release after the result does not lose it; a result after the release is not kept."""
    first = begin(store)
    first.complete(RESULT)
    first.release()
    assert begin(store) == RESULT
    second = begin(store, key="k2")
    second.release()
    second.complete(RESULT)

    assert isinstance(begin(store, key="k2"), Reservation)


def test_result_is_kept_for_a_day(store, time):
    """24 hours from its completion, then the key is free."""
    begin(store).complete(RESULT)
    time.advance(24 * 3600 - 1)
    assert begin(store) == RESULT
    time.advance(2)

    assert isinstance(begin(store), Reservation)


def test_dead_request_does_not_block_its_key(store, time):
    """One that neither ended nor failed counts as running for its time only; its late result changes nothing."""
    dead = begin(store)
    time.advance(151)
    alive = begin(store)
    dead.complete(StoredResult(b"late", "text/plain"))
    dead.release()
    assert code_of(store) == "in_progress"
    alive.complete(RESULT)

    assert begin(store) == RESULT


def test_large_result_is_not_kept(store):
    """The key becomes free instead of holding what no answer needs."""
    begin(store).complete(StoredResult(b"x" * (idempotency._MAX_BYTES + 1), "text/plain"))

    assert isinstance(begin(store), Reservation)


def test_oldest_key_makes_room(store, monkeypatch):
    """Past the bound the key that began first is forgotten."""
    monkeypatch.setattr(idempotency, "_MAX_ENTRIES", 2)
    for key in ("k1", "k2", "k3"):
        begin(store, key=key).complete(RESULT)

    assert [begin(store, key="k2"), begin(store, key="k3")] == [RESULT, RESULT]
    assert isinstance(begin(store, key="k1"), Reservation)
