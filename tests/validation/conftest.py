"""What tests of whole comparisons share."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from detequiv.validation.studies import work as scaling


@pytest.fixture
def in_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw in a thread: fresh interpreters take longer to start than few draws."""

    def thread(**_: Any) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(1)

    monkeypatch.setattr(scaling, "ProcessPoolExecutor", thread)
