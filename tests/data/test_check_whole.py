"""A count that is none is refused with its name, its value and the least allowed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headway.data.check_whole import check_whole
from headway.errors import ConfigError


@pytest.mark.parametrize("value", [1, 7, np.int8(3), np.uint64(2**63)])
def test_counts(value: Any) -> None:
    check_whole("rows=", value)
    check_whole("rows=", 0, least=0)


@pytest.mark.parametrize("value", [0, -1, 1.0, "1", None, True, np.float32(2), np.int64(0)])
def test_what_is_no_count(value: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        check_whole("rows=", value)
    assert str(caught.value) == f"rows={value!r}. Allowed: a whole number, 1 or more."
    with pytest.raises(ConfigError, match=r"RowCount\(rows=.*\)\. Allowed: a whole number, 5 or"):
        check_whole("RowCount(rows=", value, least=5)
