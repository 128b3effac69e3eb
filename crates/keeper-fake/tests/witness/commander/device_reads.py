"""What a device reads with the vendor's own SDK. Argument: the base64 device configuration.

Prints JSON: title of each record -> name of each file -> SHA-256 of its bytes.
"""

import hashlib
import json
import sys

from keeper_secrets_manager_core import SecretsManager
from keeper_secrets_manager_core.storage import InMemoryKeyValueStorage

device = SecretsManager(config=InMemoryKeyValueStorage(sys.argv[1]))
found = {
    record.title: {file.name: hashlib.sha256(file.get_file_data()).hexdigest() for file in record.files}
    for record in device.get_secrets()
}
print(json.dumps(found))
