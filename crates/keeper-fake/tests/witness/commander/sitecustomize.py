"""Puts the server keys of a keeper-fake into the vendor's programs, which stay as they are.

Python imports this module by itself when its directory is in PYTHONPATH. KEEPER_FAKE_SERVER_KEYS holds the member
`server_keys` of the facts file: key id -> URL-safe base64 of an uncompressed P-256 point. KEEPER_FAKE_ML_KEM, where it is
set, is an ML-KEM-1024 public key for id 136: then the hybrid envelope is used, which Commander otherwise keeps for three
hosts of Keeper's.
"""

import json
import os

if "KEEPER_FAKE_SERVER_KEYS" in os.environ:
    keys = json.loads(os.environ["KEEPER_FAKE_SERVER_KEYS"])

    from keepercommander import crypto, rest_api, utils

    for key_id, point in keys.items():
        rest_api.SERVER_PUBLIC_KEYS[int(key_id)] = crypto.load_ec_public_key(utils.base64_url_decode(point))

    if "KEEPER_FAKE_ML_KEM" in os.environ:
        from keepercommander import params

        rest_api.SERVER_PUBLIC_KEYS[136] = utils.base64_url_decode(os.environ["KEEPER_FAKE_ML_KEM"])
        params.RestApiContext._determine_qrc_key = lambda self: setattr(self, "_RestApiContext__qrc_key_id", 136)

    # The device that `client add --config-init` makes speaks the other protocol, with a table of its own.
    from keeper_secrets_manager_core import keeper_globals

    keeper_globals.keeper_public_keys.update(keys)
