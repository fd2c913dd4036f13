"""How large random tests are, and from which seed: CONNBENCH_TORTURE_FACTOR multiplies the number
of cases, CONNBENCH_SEED chooses others."""
import os

DEFAULT_SEED = 20261128


def cases(base):
    return base * int(os.environ.get("CONNBENCH_TORTURE_FACTOR", "1"))


def seed():
    return int(os.environ.get("CONNBENCH_SEED", str(DEFAULT_SEED)))
