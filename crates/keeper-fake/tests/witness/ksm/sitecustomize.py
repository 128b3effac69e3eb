"""Puts the server keys of a keeper-fake into the vendor's SDK and CLI, which stay as they are.

Python imports this module by itself when its directory is in PYTHONPATH. KEEPER_FAKE_SERVER_KEYS holds the member
`server_keys` of the facts file: key id -> URL-safe base64 of an uncompressed P-256 point.
"""

import json
import os

if "KEEPER_FAKE_SERVER_KEYS" in os.environ:
    from keeper_secrets_manager_core import keeper_globals

    keeper_globals.keeper_public_keys.update(json.loads(os.environ["KEEPER_FAKE_SERVER_KEYS"]))
