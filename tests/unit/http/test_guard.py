"""Who may call, asked of the guard alone; tests/integration/hostile asks a server."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request

from edge_aiops.base.errors import Forbidden
from edge_aiops.base.settings import HttpSettings
from edge_aiops.http.guard import Guard


@pytest.mark.parametrize("host", ["edge.example:9926", "10.1.2.3:9926", "localhost"])
def test_a_server_that_listens_under_a_name_is_called_by_its_addresses_too(host: str) -> None:
    # The node beside a hub calls it by the address that the name stands for.
    Guard(HttpSettings(host="edge.example")).check(make_mocked_request("GET", "/livez", headers={"Host": host}))


def test_a_server_that_listens_under_a_name_does_not_answer_for_others() -> None:
    with pytest.raises(Forbidden):
        Guard(HttpSettings(host="edge.example")).check(
            make_mocked_request("GET", "/livez", headers={"Host": "evil.example"})
        )
