"""A device as tests play it: a key of its own, which joins a hub over HTTP and opens sessions."""

from __future__ import annotations

import base64
import secrets
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_aiops.fleet.messages.identity import join_proof, rotate_proof, session_proof


def encoded(content: bytes) -> str:
    """Bytes as JSON bodies carry them."""
    return base64.b64encode(content).decode()


class Device:
    """A key and an id; `client` is what calls the hub: `tests.conftest.Client`, or what has its `post`."""

    def __init__(self, client: Any, *, node_id: str | None = None, key: Ed25519PrivateKey | None = None) -> None:
        self.client = client
        self.node_id = node_id or secrets.token_hex(16)
        self.key = key or Ed25519PrivateKey.generate()
        self.bearer = ""

    @property
    def public(self) -> bytes:
        """The public key."""
        return self.key.public_key().public_bytes_raw()

    @property
    def headers(self) -> dict[str, str]:
        """What a request within the session carries."""
        return {"Authorization": f"Bearer {self.bearer}"}

    async def token(self, **wanted: Any) -> str:
        """A new join token of the hub."""
        answer = await self.client.post("/fleet/tokens", wanted)
        assert answer.status == 201, answer
        return str(answer.body["token"])

    def join_request(self, token: str, **instead: Any) -> dict[str, Any]:
        """The body of POST /fleet/join."""
        proof = self.key.sign(join_proof(self.node_id, self.public, token))
        said = {"token": token, "nodeId": self.node_id, "publicKey": encoded(self.public), "proof": encoded(proof)}
        return said | {"name": "device"} | instead

    async def join(self, token: str | None = None, **instead: Any) -> Any:
        """The answer to a join, by default with a new token."""
        return await self.client.post("/fleet/join", self.join_request(token or await self.token(), **instead))

    async def challenge(self) -> str:
        """What the hub wants signed."""
        answer = await self.client.post("/fleet/challenge", {"nodeId": self.node_id})
        assert answer.status == 200, answer
        return str(answer.body["challenge"])

    def session_request(self, challenge: str, **instead: Any) -> dict[str, Any]:
        """The body of POST /fleet/session."""
        signature = self.key.sign(session_proof(challenge))
        return {"nodeId": self.node_id, "challenge": challenge, "signature": encoded(signature)} | instead

    async def open_session(self) -> Any:
        """The answer to a new session, which is used from then on if there is one."""
        answer = await self.client.post("/fleet/session", self.session_request(await self.challenge()))
        if answer.status == 200:
            self.bearer = answer.body["token"]
        return answer

    def rotate_request(self, key: Ed25519PrivateKey, **instead: Any) -> dict[str, Any]:
        """The body of POST /fleet/rotate."""
        public = key.public_key().public_bytes_raw()
        signed = rotate_proof(self.node_id, public)
        said = {
            "publicKey": encoded(public),
            "proof": encoded(key.sign(signed)),
            "signature": encoded(self.key.sign(signed)),
        }
        return said | instead

    async def get(self, path: str, **more: Any) -> Any:
        """The answer to a GET within the session."""
        headers = {**self.headers, **more.pop("headers", {})}
        return await self.client.get(path, headers=headers, **more)
