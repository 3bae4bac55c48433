"""What works on databases that have their tables."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import event
from stored_pages import Search

from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.page_store import PageStore


@pytest.fixture
def make_engine():
    """Makes engines that are closed when the test ends."""
    engines = []

    def make(url):
        engines.append(database.create_engine_for(database.database_url(url)))
        return engines[-1]

    yield make
    for engine in engines:
        engine.dispose()


@pytest.fixture
def engine(make_engine, prepared_url):
    return make_engine(prepared_url)


@pytest.fixture
def begin():
    """Begins runs; one on the same query or listing ends before, as if it had been killed."""
    runs = {}

    def begin(run):
        if earlier := runs.pop(run.session.lock_name, None):
            earlier.session.release()
        runs[run.session.lock_name] = run
        return run.__enter__()

    yield begin
    for run in runs.values():
        run.session.release()


@pytest.fixture
def search(begin, prepared_url):
    """Begins runs of collections on a database that has its tables."""
    return lambda **wish: begin(Search(prepared_url, **wish))


@pytest.fixture
def store(engine):
    return PageStore(engine)


@pytest.fixture
def statements(engine):
    """The statements that were executed."""
    texts = []
    event.listen(engine, "before_cursor_execute", lambda *args: texts.append(args[2]))
    return texts


@pytest.fixture
def interrupted():
    """Interrupts a block at its first statement that begins so."""

    @contextmanager
    def interrupted(engine, *beginnings):
        def interrupt(_connection, _cursor, text, *_):
            if text.startswith(beginnings):
                raise KeyboardInterrupt

        event.listen(engine, "before_cursor_execute", interrupt)
        with pytest.raises(KeyboardInterrupt):
            yield
        event.remove(engine, "before_cursor_execute", interrupt)

    return interrupted


@pytest.fixture
def now():
    return datetime(2024, 6, 1, 12, 30, 15, 250_000, tzinfo=UTC)
