"""Policy versions: for a midnight to come, read by every process."""

import json
from datetime import date

import pytest

from rewards.errors import Conflict, InvalidRequest
from rewards.service.commands import Publish, RecordPurchase
from rewards.service.service import Service
from rewards.store.database import Store

from .conftest import DAY, POLICY, Shop, opened

DOUBLE = POLICY.replace(b"give: 5 beans", b"give: 10 beans")


def publish(shop, data, from_day=None):
    return json.loads(shop.service.do(Publish(data, from_day)).body)


def test_the_first_version_judges_everything(shop):
    (version,) = shop.service.versions()
    assert (version.effective, version.in_force) == ("2026-12-02", True)
    shop.enrol()
    assert shop.buy(at=shop.clock.now - 30 * DAY)["totals"]["earned"] == {"beans": 150}


def test_a_first_version_for_later_is_in_force_at_once(clock):
    service = Service(Store.open(), clock=clock)
    service.do(Publish(POLICY, date(2027, 1, 1)))
    assert service.versions()[0].effective == "2026-12-02"
    service.close()


def test_a_later_version_counts_from_its_midnight(shop):
    shop.enrol()
    answer = publish(shop, DOUBLE, date(2026, 12, 4))
    assert (answer["effective"], answer["in_force"]) == ("2026-12-04", False)
    assert shop.buy("r1")["totals"]["earned"] == {"beans": 150}
    shop.clock.now += 2 * DAY
    assert shop.buy("r2")["totals"]["earned"] == {"beans": 100}
    assert shop.buy("r3", at=shop.clock.now - DAY)["totals"]["earned"] == {"beans": 50}
    assert [version.in_force for version in shop.service.versions()] == [True, False]
    assert shop.service.policy()[0] == DOUBLE
    assert shop.service.policy(shop.clock() - 2 * 86_400_000_000)[0] == POLICY


def test_without_a_day_it_is_tomorrow(shop):
    assert publish(shop, DOUBLE)["effective"] == "2026-12-03"
    assert publish(shop, DOUBLE)["effective"] == "2026-12-03"
    assert len(shop.service.versions()) == 2


def test_a_version_for_the_same_day_takes_the_place_of_one_that_has_not_begun(shop):
    shop.enrol()
    publish(shop, DOUBLE)
    publish(shop, POLICY.replace(b"give: 5 beans", b"give: 7 beans"))
    shop.clock.now += DAY
    assert shop.buy()["totals"]["earned"] == {"beans": 170}
    assert [version.in_force for version in shop.service.versions()] == [True, False, False]


@pytest.mark.parametrize("day", [date(2026, 12, 2), date(2026, 12, 1), date(1, 1, 1)])
def test_a_day_that_has_begun_is_refused(shop, day):
    with pytest.raises(Conflict) as refused:
        publish(shop, DOUBLE, day)
    assert refused.value.code == "effective-not-to-come"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [(b"EUR", b"GBP", "currency-changed"), (b"Europe/Berlin", b"Europe/Paris", "timezone-changed")],
)
def test_a_program_keeps_its_currency_and_zone(shop, old, new, code):
    with pytest.raises(Conflict) as refused:
        publish(shop, DOUBLE.replace(old, new))
    assert refused.value.code == code


def test_a_faulty_policy_is_refused_with_every_fault(shop):
    with pytest.raises(InvalidRequest) as refused:
        publish(shop, POLICY.replace(b"every: 1.00", b"every: 0").replace(b"give: 20 beans", b"give: 20 stars"))
    assert len(refused.value.facts["problems"]) >= 2
    assert shop.service.check(b"nonsense: [")
    assert shop.service.check(POLICY.replace(b"EUR", b"XXQ"))


def outcome(shop, data, from_day=None):
    return shop.service.do(Publish(data, from_day))


def test_publishing_the_same_again_writes_nothing(shop):
    for day in (None, date(2026, 12, 2), date(2027, 3, 1)):
        assert (outcome(shop, POLICY, day).status, len(shop.service.versions())) == (200, 1)
    assert outcome(shop, DOUBLE, date(2026, 12, 10)).status == 201
    again = outcome(shop, DOUBLE, date(2026, 12, 10))
    assert (again.status, again.replayed, len(shop.service.versions())) == (200, True, 2)
    shop.clock.now += 8 * DAY
    assert outcome(shop, DOUBLE, date(2026, 12, 10)).status == 200  # also once it has begun
    assert outcome(shop, POLICY, date(2026, 12, 20)).status == 201
    assert len(shop.service.versions()) == 3


def test_the_same_for_an_earlier_day_is_a_version(shop):
    outcome(shop, DOUBLE, date(2026, 12, 10))
    assert outcome(shop, DOUBLE, date(2026, 12, 5)).status == 201
    shop.clock.now += 5 * DAY
    assert shop.service.policy()[0] == DOUBLE


def test_the_refusal_names_the_first_day_that_is_possible(shop):
    dated = DOUBLE.replace(b"\npoints:", b"\neffective: 2026-12-01\npoints:")
    for data, day, pointer in ((DOUBLE, date(2026, 12, 2), "/from"), (dated, None, "/policy")):
        with pytest.raises(Conflict, match="2026-12-03 or later") as refused:
            publish(shop, data, day)
        assert (refused.value.pointer, refused.value.facts["earliest"]) == (pointer, "2026-12-03")


def test_another_process_publishes(filed, tmp_path, clock):
    """A command line publishes while a server runs: the server judges by the new version."""
    filed.enrol()
    other = opened(f"sqlite:///{tmp_path / 'shop.db'}", clock)
    publish(other, DOUBLE)
    assert len(filed.service.versions()) == 2
    clock.now += DAY
    assert filed.buy()["totals"]["earned"] == {"beans": 200}
    other.service.close()


def test_a_version_in_a_batch_counts_for_what_follows(clock):
    service = Service(Store.open(), clock=clock)
    shop = Shop(service, clock)
    futures = service.submit_all([Publish(POLICY), RecordPurchase(shop.basket(card=None))])
    assert futures[0].result().status == 201
    assert b'"would_earn":{"beans":50}' in futures[1].result().body
    service.close()
