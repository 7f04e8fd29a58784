from __future__ import annotations

import pytest

from loop311.requests.testing import City, make_city


@pytest.fixture
def city() -> City:
    return make_city("springfield")
