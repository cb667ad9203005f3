"""Reservations as a state machine: never overspent, and never refused while there is room for the call."""

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import create_engine

from musespark.store.database.schema import METADATA, SERVERS
from musespark.store.keys import reservations
from musespark.store.keys.reservations import (
    LEASE,
    ReservationRequest,
    close_reservations,
    drop_reservations,
    read_totals,
    record_spending,
    renew_leases,
    reserve,
)

LIMIT, DAY = 1000, "2026-01-31"
NAMES = st.sampled_from(["a", "b", "c"])

GONE = float("-inf")
"""Expiry of a reservation that was deleted while its call goes on."""


class Reservations(RuleBasedStateMachine):
    """Three servers and one key, beside a model that keeps the books in plain dictionaries."""

    def __init__(self):
        super().__init__()
        engine = create_engine("sqlite://")
        METADATA.create_all(engine)
        self.connection = engine.connect()
        self.engine = engine
        self.now = 1_000_000.0
        self.real = reservations.database_time
        reservations.database_time = lambda connection: self.now
        self.number = 0
        self.known = set()
        """Servers that are registered and not found dead: their calls hold what they reserved, whatever the clock says."""
        self.open = {}
        """Server, amount and expiry by id of the calls under way."""
        self.spent = dict.fromkeys("abc", 0)
        self.late = 0
        """Amount of bills that came after their reservation had expired."""

    def teardown(self):
        reservations.database_time = self.real
        self.connection.close()
        self.engine.dispose()

    @property
    def reserved(self):
        return sum(
            amount for server, amount, expires in self.open.values() if self.counts(server, expires)
        )

    def counts(self, server, expires):
        """True while a call holds what it reserved."""
        return expires != GONE and (expires > self.now or server in self.known)

    @property
    def left(self):
        return LIMIT - sum(self.spent.values()) - self.reserved

    @rule(
        server=NAMES,
        calls=st.lists(st.tuples(st.integers(0, 600), st.integers(0, 600)), min_size=1, max_size=4),
    )
    def request(self, server, calls):
        requests = [
            ReservationRequest(
                id=str(self.number + at),
                key="k",
                day=DAY,
                server=server,
                limit=LIMIT,
                wanted=wanted,
                at_least=min(wanted, least),
            )
            for at, (wanted, least) in enumerate(calls)
        ]
        self.number += len(calls)
        self.open = {
            id: (owner, amount, expires if self.counts(owner, expires) else GONE)
            for id, (owner, amount, expires) in self.open.items()
        }
        for request, (granted, totals) in zip(
            requests, reserve(self.connection, requests), strict=True
        ):
            left, wanted, least = self.left, request.wanted, request.at_least
            if sum(self.spent.values()) >= LIMIT or left < least or (left <= 0 and wanted):
                assert granted is None
            elif left >= wanted:
                assert granted == wanted
            else:
                assert least <= granted <= left and granted >= min(left, LIMIT // 8)
            if granted is not None:
                self.open[request.id] = server, granted, self.now + LEASE
            assert (totals.spent, totals.reserved) == (sum(self.spent.values()), self.reserved)

    @precondition(lambda self: self.open)
    @rule(data=st.data(), share=st.sampled_from([0, 0.5, 1]))
    def settle(self, data, share):
        id = data.draw(st.sampled_from(sorted(self.open)))
        server, amount, expires = self.open.pop(id)
        cost = int(amount * share)
        self.spent[server] += cost
        self.late += 0 if self.counts(server, expires) else cost
        for _ in range(2):  # a transaction whose end was not heard is repeated
            close_reservations(self.connection, [id])
            record_spending(self.connection, "k", DAY, server, self.spent[server])

    @rule(server=NAMES)
    def crash(self, server):
        drop_reservations(self.connection, server)
        self.connection.execute(SERVERS.delete().where(SERVERS.c.id == server))
        self.known.discard(server)
        self.open = {id: call for id, call in self.open.items() if call[0] != server}

    @rule(server=NAMES)
    def renew(self, server):
        renew_leases(self.connection, server)
        self.open = {
            id: (
                owner,
                amount,
                self.now + LEASE if owner == server and expires > self.now else expires,
            )
            for id, (owner, amount, expires) in self.open.items()
        }

    @rule(server=NAMES)
    def register(self, server):
        if server not in self.known:
            self.known.add(server)
            row = SERVERS.insert().values(id=server, place="", process="", seen=0)
            self.connection.execute(row)

    @rule(seconds=st.sampled_from([1, LEASE / 2, LEASE, -LEASE, 86_400]))
    def pass_time(self, seconds):
        self.now += seconds

    @invariant()
    def never_overspent(self):
        totals = read_totals(self.connection, "k", day=DAY)[0]
        assert (totals.spent, totals.reserved) == (sum(self.spent.values()), self.reserved)
        assert totals.spent + totals.reserved <= LIMIT + self.late


TestReservations = Reservations.TestCase
TestReservations.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
