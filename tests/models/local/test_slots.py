"""Slots: which call gets which, and prompts that several calls share."""

import threading

from musespark.models.local.slots import Slots

ASKED = ("tools", "system", "question")


class States:
    """States of slots that are only named, with a count of what was done."""

    def __init__(self, saves=True):
        self.saves, self.saved, self.restored = saves, [], []
        self.is_closed = False
        self.may_save = threading.Event()
        self.may_save.set()

    def save(self, slot, state):
        self.may_save.wait()
        self.saved.append((slot.number, state))
        return self.saves

    def restore(self, slot, state):
        self.restored.append((slot.number, state))
        return True


def test_a_conversation_that_goes_on_gets_the_slot_that_read_it():
    slots = Slots(3)
    taken = [slots.take((*ASKED, str(number))) for number in range(3)]
    for number, slot in enumerate(taken):
        slots.give_back(slot, (*ASKED, str(number)))
    assert slots.take((*ASKED, "1", "and then?")) is taken[1]
    assert slots.take((*ASKED, "2")) is taken[2]


def test_a_new_question_gets_the_slot_that_was_unused_for_longest():
    slots = Slots(2)
    first, second = slots.take(("a",)), slots.take(("b",))
    slots.give_back(second, ("b",))
    slots.give_back(first, ("a",))
    assert slots.take(("c",)) is first and slots.take(("d",)) is second


def test_calls_that_ask_the_same_share_what_one_of_them_has_read():
    slots, states = Slots(4), States()
    for _ in range(4):
        slots.want(ASKED)
    taken = [slots.take(ASKED) for _ in range(4)]
    states.may_save.clear()
    calls = [threading.Thread(target=slots.prepare, args=(slot, ASKED, states)) for slot in taken]
    for call in calls:
        call.start()
    assert not states.restored  # nobody has read it yet
    states.may_save.set()
    for call in calls:
        call.join()
    ((reader, state),) = states.saved
    assert sorted(states.restored) == [
        (slot.number, state) for slot in taken if slot.number != reader
    ]
    assert [slots.unwant(ASKED) for _ in range(4)] == [None, None, None, state]
    assert slots.wanted(ASKED) == 0


def test_a_closed_call_does_not_wait_for_what_another_one_reads():
    slots, states, closed = Slots(2), States(), States()
    for _ in range(2):
        slots.want(ASKED)
    states.may_save.clear()
    first, second = slots.take(ASKED), slots.take(ASKED)
    reading = threading.Thread(target=slots.prepare, args=(first, ASKED, states))
    reading.start()
    closed.is_closed = True
    slots.prepare(second, ASKED, closed)
    assert reading.is_alive() and not closed.restored
    states.may_save.set()
    reading.join()


def test_one_call_alone_shares_nothing():
    slots, states = Slots(2), States()
    slots.want(ASKED)
    slots.want(("another",))
    slots.prepare(slots.take(ASKED), ASKED, states)
    assert not states.saved and slots.unwant(ASKED) is None


def test_a_slot_that_has_the_prompt_needs_no_copy():
    slots, states = Slots(2), States()
    slot = slots.take(ASKED)
    slots.give_back(slot, ASKED)
    slots.want(ASKED)
    slots.want(ASKED)
    other = next(each for each in (slots.take(("x",)), slots.take(("x",))) if each is not slot)
    slots.prepare(other, ASKED, states)
    slots.prepare(slot, ASKED, states)
    assert [number for number, _ in states.saved] == [other.number] and not states.restored


def test_a_prompt_that_could_not_be_saved_is_read_by_each():
    slots, states = Slots(2), States(saves=False)
    slots.want(ASKED)
    slots.want(ASKED)
    for slot in (slots.take(ASKED), slots.take(ASKED)):
        slots.prepare(slot, ASKED, states)
    assert len(states.saved) == 1 and not states.restored
