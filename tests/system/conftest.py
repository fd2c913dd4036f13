"""Options and fixtures. `server` is one shared server per model; `start_server` makes a server of a
test's own, with its own settings. Every server is checked for leftovers when it stops."""
import functools
import pathlib
import re
import signal

import pytest

from generated import cases
from servers import Connbench, Postgres, server_starter

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODELS = re.findall(r'^CONNBENCH_MODEL\("([^"]+)"', (ROOT / "models/models.def").read_text(), re.M)
# What lies behind the socket is the same in all models: a process each, a thread each and a pool
# stand for the others, but in the tests marked every_model. models/conformance holds each
# model to the whole specification.
CORE_MODELS = ["fork", "thread", "thread-pool"]


def pytest_configure(config):
    config.addinivalue_line("markers", "every_model: runs on every row of models.def")
    config.addinivalue_line("markers", "generated: random cases, as many as generated.py says")
    # Under nohup a hangup is ignored, and so it would be by every program that a test starts. A
    # handler of our own does the same for us, and leaves them what they have otherwise.
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)


def pytest_generate_tests(metafunc):
    if "model" in metafunc.fixturenames:
        every = metafunc.definition.get_closest_marker("every_model")
        metafunc.parametrize("model", MODELS if every else CORE_MODELS, scope="session")


def pytest_addoption(parser):
    parser.addoption("--connbench", default=str(ROOT / "build/release/harness/connbench"),
                     help="the program under test")
    parser.addoption("--reference", action="store_true",
                     help="check the tests: run those that share a server against PostgreSQL")


@pytest.fixture(scope="session")
def binary(request):
    path = pathlib.Path(request.config.getoption("--connbench")).resolve()
    assert path.exists(), f"{path} does not exist; build it, or pass --connbench"
    return path


@pytest.fixture(scope="session")
def server(request, model):
    if request.config.getoption("--reference"):
        yield request.getfixturevalue("cluster")
        return
    with Connbench(request.getfixturevalue("binary"), model) as shared:
        yield shared


@pytest.fixture(scope="module")
def pair(postgres, binary):
    """Connections to PostgreSQL and to connbench, which get the same statements (compared.py)."""
    with Connbench(binary, "thread") as server, postgres.connect() as reference, \
            server.connect() as tested:
        yield reference.pgconn, tested.pgconn


@pytest.fixture
def start_server(binary, model):
    """start_server(name=value, ...) -> a started Connbench of the model, with these settings."""
    with server_starter(binary) as start:
        yield functools.partial(start, model)


@pytest.fixture(scope="session")
def cluster():
    with Postgres() as reference:
        yield reference


@pytest.fixture(scope="module")
def postgres(cluster):
    """PostgreSQL as initdb made it: nothing is left of what another module's tests made there. To
    make a cluster takes a second and more, so they share one."""
    cluster.empty()
    return cluster


TEST_TIMEOUT_S = 200


@pytest.fixture(autouse=True)
def no_hang(request):
    """A test that hangs fails, wherever it waits. Generated tests have time for all their cases."""
    limit = TEST_TIMEOUT_S
    if request.node.get_closest_marker("generated"):
        limit = cases(limit)

    def fail(*_):
        raise TimeoutError(f"the test took longer than {limit} s")

    previous = signal.signal(signal.SIGALRM, fail)
    signal.alarm(limit)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)
