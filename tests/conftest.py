"""Every kind of test shares this: the loop, the seed, and the bounds of fast tests."""

import gc
from collections.abc import Generator, Iterator

import pytest

from tests.support import chromium, fast_tests, seeds
from tests.support.left_out import left_out

collect_ignore = [*left_out()]


def pytest_addoption(parser: pytest.Parser) -> None:
    seeds.add_option(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    seeds.configure(config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: seeds.Node) -> None:
    seeds.hand_over(node)


def pytest_report_header(config: pytest.Config) -> list[str]:
    head = [f"seed: {config.option.seed} (the same draws again: --seed {config.option.seed})"]
    if chromium.program() is None:
        head.append("left out: tests/browser, because no Chromium is installed")
    head += [f"left out: tests/{name}: {why}" for name, why in left_out().items()]
    return head


@pytest.fixture(autouse=True, scope="module")
def settled_memory() -> None:
    """Hide all that outlives a module from the garbage collector: collecting is quick then."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def left_open(settled_memory: None) -> Iterator[None]:
    """Collect what a test leaves open: the warning fails this test, and no later one."""
    yield
    gc.collect()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    with fast_tests.bounds_of(item.path, item.nodeid):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    seeds.note(item, report)
    return report


@pytest.fixture(scope="session")
def seed(pytestconfig: pytest.Config) -> int:
    """The number that a test draws from, by `Random(seed)`."""
    return int(pytestconfig.option.seed)


@pytest.fixture
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio, the loop that the service uses."""
    return "asyncio"
