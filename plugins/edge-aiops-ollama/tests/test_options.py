"""What a model may be registered with, and where the server is."""

from __future__ import annotations

from typing import Any

import pytest
from edge_aiops_ollama.options import chosen, is_loopback

from edge_aiops.plugin import InvalidModel
from edge_aiops.testing.backend import source


def url_for(host: str | None, **environment: str) -> str:
    options = {} if host is None else {"host": host}
    return chosen(source(model="smollm2", **options), environment).url


def test_the_model_and_the_server_come_from_the_options_then_the_environment_then_are_the_usual_ones() -> None:
    environment = {"OLLAMA_DEFAULT_MODEL": "llama3.2:3b", "OLLAMA_HOST": "10.0.0.7"}
    by_environment = chosen(source(), environment)
    assert (by_environment.model, by_environment.url) == ("llama3.2:3b", "http://10.0.0.7:11434")
    by_options = chosen(source(model="smollm2", host="https://llm.example"), environment)
    assert (by_options.model, by_options.url) == ("smollm2", "https://llm.example:443")
    assert url_for(None) == "http://127.0.0.1:11434"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("gpu", "http://gpu:11434"),
        ("gpu:8080", "http://gpu:8080"),
        ("http://gpu", "http://gpu:80"),
        ("gpu:8080/ollama/", "http://gpu:8080/ollama"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:9000", "http://127.0.0.1:9000"),
        ("[::1]:9000", "http://[::1]:9000"),
    ],
)
def test_a_host_is_read_as_ollama_reads_it(host: str, url: str) -> None:
    assert url_for(host) == url
    assert url_for(None, OLLAMA_HOST=host) == url


def test_proxies_are_not_for_this_machine() -> None:
    here = [url_for(host) for host in ("localhost", "127.0.0.1", "127.8.8.8:80", "[::1]", "0.0.0.0")]
    assert all(map(is_loopback, here))
    assert not any(map(is_loopback, (url_for("10.0.0.7"), url_for("llm.example"))))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "options.model: is missing, and OLLAMA_DEFAULT_MODEL is not set"),
        ({"modle": "x"}, "options.modle: there is no such option; did you mean model?"),
        ({"task": "translate"}, "options.task: Invalid enum value 'translate'"),
        ({"host": "ftp://x"}, "options.host: 'ftp://x' is not the address of a server; write it like http://127.0.0.1"),
        ({"host": "x:port"}, "options.host: 'x:port' is not the address of a server"),
        ({"options": {"temprature": 0}}, "options.options: Object contains unknown field `temprature`"),
        ({"options": {"temperature": "hot"}}, "options.options.temperature: Expected `float`, got `str`"),
        ({"options": {"top_p": 2}}, "options.options.top_p: Expected `float` <= 1.0"),
        ({"timeoutS": 0}, "options.timeoutS: Expected `float` > 0"),
        ({"task": "embedding", "vision": True}, "options.vision: is for the tasks chat and generate"),
        ({"dimensions": 64}, "options.dimensions: is for the task embedding"),
        ({"raw": True}, "options.raw: is for the task generate"),
        ({"task": "generate", "raw": True, "system": "Hi"}, "options.system: does nothing with options.raw"),
    ],
)
def test_a_wrong_option_is_refused_by_name(options: dict[str, Any], message: str) -> None:
    given = {"model": "smollm2", **options} if options else {}
    with pytest.raises(InvalidModel) as caught:
        chosen(source(**given), {})
    assert message in str(caught.value)


def test_a_wrong_variable_is_refused_by_name() -> None:
    with pytest.raises(InvalidModel, match="OLLAMA_HOST: 'x:port' is not the address"):
        url_for(None, OLLAMA_HOST="x:port")


def test_an_empty_variable_is_as_good_as_none() -> None:
    assert url_for(None, OLLAMA_HOST="") == "http://127.0.0.1:11434"
