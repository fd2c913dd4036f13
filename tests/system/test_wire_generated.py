"""Random sequences of protocol messages, answered as PostgreSQL answers them: the same bytes go to
both servers, and every answer is compared byte by byte (wire_comparison.py says what cannot be)."""
import random

import pytest

import generated
import wire_cases
import wire_comparison
from servers import Connbench
from wire_differences import allowed_reason

CASES = 60  # some ten seconds
# Each difference must be on the list; of a number of cases that says something, few may differ at
# all.
MAX_DIFFERING_PERCENT = 5
CASES_FOR_A_PERCENTAGE = 1000


def check(reference, server, number, allowed=allowed_reason, without=()):
    """None, or the reason why the answers to this case may differ. Fails if they may not."""
    rng = random.Random(f"{generated.seed()}/{number}")
    steps = wire_cases.Generator(rng, without).case()
    total = sum(len(step.data) for step in steps)
    cuts = sorted(rng.randrange(total) for _ in range(rng.choice([0, 0, 1, 5])))
    found = wire_comparison.difference(reference, server, steps, cuts)
    if found is None:
        return None
    reason = allowed(steps, found)
    if reason is not None:
        return reason
    steps = wire_comparison.smallest(reference, server, steps,
                                     lambda fewer, other: allowed(fewer, other) is None)
    found = wire_comparison.difference(reference, server, steps) or found
    lines = "\n".join(step.text for step in steps)
    pytest.fail(f"CONNBENCH_SEED={generated.seed()} case {number}, as small as it gets:\n{lines}\n"
                f"expected from answer {found[0]}: {found[1][:4]}\ngot: {found[2][:4]}")


@pytest.mark.generated
def test_random_sequences_are_answered_as_by_postgresql(postgres, server):
    count = generated.cases(CASES)
    reasons = [reason for number in range(count)
               if (reason := check(postgres, server, number)) is not None]
    summary = {reason: reasons.count(reason) for reason in set(reasons)}
    print(f"{len(reasons)} of {count} cases differ: {summary}")
    if count >= CASES_FOR_A_PERCENTAGE:
        assert len(reasons) * 100 <= count * MAX_DIFFERING_PERCENT, summary


@pytest.mark.generated
def test_answers_come_when_they_are_asked_for(postgres, server):
    """At each Sync, Flush and Query the client has at least what PostgreSQL has sent by then."""
    for number in range(generated.cases(CASES // 6)):
        steps = wire_cases.Generator(random.Random(f"{generated.seed()}/flush/{number}")).case()
        parts = wire_comparison.parts_that_flush(steps)
        expected = wire_comparison.answers_by_part(postgres, parts)
        got = wire_comparison.answers_by_part(server, parts, expected)
        for part, wanted, answer in zip(parts, expected, got):
            if wanted == answer:
                continue
            # What is answered is the other test's to judge; this one's is when.
            assert wire_comparison.difference(postgres, server, steps) is not None, (
                f"CONNBENCH_SEED={generated.seed()} case {number}, after\n" +
                "\n".join(step.text for step in part), wanted, answer)
            break  # what follows may differ for the same reason


# On a pooler's backend the protocol's statements have other names than SQL's PREPARE, EXECUTE and
# DEALLOCATE use (docs/architecture.md).
BY_NAME = ("prepare ", "execute ", "deallocate s", "deallocate t")


@pytest.mark.generated
@pytest.mark.parametrize("pool_mode", ["session", "transaction"])
def test_a_pooled_session_answers_as_one_of_its_own(binary, pool_mode):
    """The same cases: between a client and its answers, a pooler that has two backends cannot be
    seen."""
    with Connbench(binary, "fork") as alone, \
         Connbench(binary, "pool-tx", pool_mode=pool_mode, pool_size=2) as pooled:
        for number in range(generated.cases(CASES // 2)):
            check(alone, pooled, f"{pool_mode}/{number}", lambda *_: None, BY_NAME)
