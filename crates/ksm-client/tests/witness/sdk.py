"""What the vendor's Python SDK does with a service. One command as JSON on standard input, one answer on standard output."""

import hashlib
import json
import sys

from keeper_secrets_manager_core import SecretsManager
from keeper_secrets_manager_core.dto.dtos import KeeperFileUpload
from keeper_secrets_manager_core.storage import FileKeyValueStorage, InMemoryKeyValueStorage

command = json.load(sys.stdin)
if "path" in command:
    storage = FileKeyValueStorage(command["path"])
else:
    storage = InMemoryKeyValueStorage(command["config"])
named = {name: command[name] for name in ("token", "hostname", "server_public_key", "server_public_key_id") if name in command}
manager = SecretsManager(config=storage, **named)


def record():
    [only] = manager.get_secrets([command["record"]])
    return only


def results(notation):
    try:
        return manager.get_notation_results(notation)
    except Exception:
        return None


what = command["do"]
if what == "files":
    answer = [
        {"uid": file.f.get("fileUid"), "name": file.name, "size": file.size, "type": file.type,
         "sha256": hashlib.sha256(file.get_file_data()).hexdigest()}
        for file in record().files
    ]
elif what == "upload":
    data = bytes.fromhex(command["hex"])
    answer = manager.upload_file(record(), KeeperFileUpload(command["name"], command["name"], "text/plain", data))
elif what == "titles":
    answer = sorted(found.title for found in manager.get_secrets())
elif what == "content":
    answer = record().dict
elif what == "folders":
    answer = sorted(folder.name for folder in manager.get_folders())
elif what == "notations":
    answer = [results(notation) for notation in command["notations"]]
print(json.dumps(answer))
