"""The vendor's Python SDK against a keeper-fake. Argument: a scenario below. In the working directory: facts.json."""

import json
import sys
import time

import requests
from keeper_secrets_manager_core import SecretsManager
from keeper_secrets_manager_core.configkeys import ConfigKeys
from keeper_secrets_manager_core.core import CreateOptions, QueryOptions, UpdateOptions
from keeper_secrets_manager_core.dto.dtos import KeeperFileUpload, RecordCreate, RecordField
from keeper_secrets_manager_core.storage import FileKeyValueStorage, InMemoryKeyValueStorage

from checks import Checks, facts, sha256

FACTS = facts()
CHECKS = Checks()
RECORD = FACTS["record"]


def device(config=None, custom_key=True):
    config = dict(config or FACTS["device"])
    if not custom_key:
        del config["serverPublicKey"]
    return SecretsManager(config=InMemoryKeyValueStorage(json.dumps(config)))


def fault(name):
    switch = FACTS["faults"][name]
    url = f"https://{FACTS['host']}{switch['url']}"
    requests.request(switch["method"], url, json=switch["body"], timeout=30).raise_for_status()


def record(sm, uid=RECORD["uid"]):
    return sm.get_secrets([uid])[0]


def names(one):
    return sorted(file.name for file in one.files)


def read():
    sm = device()
    everything = sm.get_secrets(full_response=True)
    CHECKS.same("one record", [one.uid for one in everything.records], [RECORD["uid"]])
    CHECKS.same("the application's name", everything.appData.title, "Automator")
    CHECKS.same("its folder", everything.records[0].folder_uid, RECORD["folder"])
    CHECKS.same("nothing skipped", (everything.had_bad_records, everything.had_bad_folders), (False, False))
    one = record(sm)
    CHECKS.same("its title", one.title, RECORD["title"])
    CHECKS.that("it may be changed", one.is_editable)
    CHECKS.same("three files", names(one), sorted(RECORD["files"]))
    for file in one.files:
        expected = RECORD["files"][file.name]
        CHECKS.same(f"uid of {file.name}", file.f["fileUid"], expected["uid"])
        data = file.get_file_data()
        CHECKS.same(f"bytes of {file.name}", sha256(data), expected["sha256"])
        CHECKS.same(f"size of {file.name}", file.size, len(data))
    for fact in FACTS["notations"]:
        found = sm.get_notation(fact["notation"])
        if "value" in fact:
            CHECKS.same(fact["notation"], found, fact["value"])
            CHECKS.same(fact["notation"], sm.get_notation_results(fact["notation"]), [fact["value"]])
        else:
            CHECKS.same(fact["notation"], sha256(found), fact["sha256"])
    CHECKS.same("by title", sm.get_secret_by_title(RECORD["title"]).uid, RECORD["uid"])
    CHECKS.same("a stranger is not there", sm.get_secrets(["AAAAAAAAAAAAAAAAAAAAAA"]), [])
    by_folder = sm.get_secrets_with_options(QueryOptions(None, [RECORD["folder"]]))
    CHECKS.same("by folder", [one.uid for one in by_folder], [RECORD["uid"]])


def write():
    sm = device()
    one = record(sm)
    revision = one.revision
    one.set_custom_field_value("Host/Port [public]", "changed.example.com:8443")
    sm.save(one)
    again = record(sm)
    CHECKS.same("the field changed", again.get_custom_field_value("Host/Port [public]", single=True),
                "changed.example.com:8443")
    CHECKS.that("the revision grew", again.revision > revision)
    CHECKS.fails("a stale save", "out of sync", sm.save, one)

    content = b"not a certificate\r\n" * 1000
    uid = sm.upload_file(again, KeeperFileUpload("new.bin", "new.bin", "application/octet-stream", content))
    after = record(sm)
    new = [file for file in after.files if file.f["fileUid"] == uid]
    CHECKS.same("one file more", names(after), sorted([*RECORD["files"], "new.bin"]))
    CHECKS.same("the bytes that were sent", new[0].get_file_data(), content)
    CHECKS.fails("an upload to a stale record", "out of sync", sm.upload_file, again,
                 KeeperFileUpload("late.bin", "late.bin", "text/plain", b"late"))

    # The same name twice, then the older one removed: how a file is replaced.
    second = sm.upload_file(after, KeeperFileUpload("new.bin", "new.bin", "application/octet-stream", b"second"))
    both = record(sm)
    CHECKS.same("two of one name", names(both).count("new.bin"), 2)
    CHECKS.fails("a name that two have", "multiple", sm.get_notation, f"keeper://{RECORD['uid']}/file/new.bin")
    sm.save_with_options(both, UpdateOptions(None, [uid]))
    rest = record(sm)
    CHECKS.same("the younger one stays", [f.f["fileUid"] for f in rest.files if f.name == "new.bin"], [second])
    CHECKS.same("by notation", sm.get_notation(f"keeper://{RECORD['uid']}/file/new.bin"), b"second")
    sm.save_with_options(rest, UpdateOptions(None, [second]))
    CHECKS.same("as in the beginning", names(record(sm)), sorted(RECORD["files"]))

    made = RecordCreate("login", "made by a device")
    made.fields = [RecordField("login", ["somebody"]), RecordField("password", ["secret"])]
    made.custom = [RecordField("text", ["value"], label="label")]
    uid = sm.create_secret(RECORD["folder"], made)
    found = record(sm, uid)
    CHECKS.same("title of a new record", found.title, "made by a device")
    CHECKS.same("its password", found.password, "secret")
    CHECKS.same("two records", len(sm.get_secrets()), 2)

    rotated = record(sm, uid)
    rotated.set_standard_field_value("password", "rotated")
    sm.save(rotated, "rotation")
    sm.complete_transaction(uid, rollback=True)
    CHECKS.same("a rotation taken back", record(sm, uid).password, "secret")
    rotated = record(sm, uid)
    rotated.set_standard_field_value("password", "rotated")
    sm.save(rotated, "rotation")
    sm.complete_transaction(uid)
    CHECKS.same("a rotation kept", record(sm, uid).password, "rotated")

    told = sm.delete_secret([uid, "AAAAAAAAAAAAAAAAAAAAAA"])
    CHECKS.same("what was deleted", [one["responseCode"] for one in told], ["ok", "access_denied"])
    CHECKS.same("one record again", len(sm.get_secrets()), 1)


def folders():
    sm = device()
    top = RECORD["folder"]
    one = sm.create_folder(CreateOptions(top, None), "one")
    two = sm.create_folder(CreateOptions(top, one), "two")
    listed = {folder.folder_uid: folder for folder in sm.get_folders()}
    CHECKS.same("three folders", sorted(listed), sorted([top, one, two]))
    CHECKS.same("their names", [listed[uid].name for uid in (top, one, two)], ["Automator", "one", "two"])
    CHECKS.same("their places", [listed[uid].parent_uid or "" for uid in (top, one, two)], ["", top, one])
    sm.update_folder(two, "renamed")
    CHECKS.same("another name", {f.folder_uid: f.name for f in sm.get_folders()}[two], "renamed")
    made = RecordCreate("login", "below")
    made.fields = [RecordField("login", ["x"])]
    # 17.3.0 takes the folder below and does not send it (`prepare_create_payload` gets options without it).
    uid = sm.create_secret_with_options(CreateOptions(top, two), made)
    CHECKS.same("a record is made with folders", record(sm, uid).title, "below")
    told = sm.delete_folder([one])
    CHECKS.same("one that is not empty", told[0]["responseCode"], "not_empty")
    told = sm.delete_folder([one], force_deletion=True)
    CHECKS.same("unless it is forced", told[0]["responseCode"], "ok")
    CHECKS.same("only the top is left", [folder.folder_uid for folder in sm.get_folders()], [top])
    told = sm.delete_folder([top], force_deletion=True)
    CHECKS.same("which a device cannot delete", told[0]["responseCode"], "access_denied")


def bind():
    host = FACTS["host"]
    token = FACTS["tokens"][0]
    sm = SecretsManager(token=token, hostname=host, config=FileKeyValueStorage("bound.json"))
    CHECKS.same("the first read after binding", [one.uid for one in sm.get_secrets()], [RECORD["uid"]])
    with open("bound.json", encoding="utf-8") as file:
        config = json.load(file)
    CHECKS.same("the application's key", config["appKey"], FACTS["device"]["appKey"])
    CHECKS.same("its owner's key", config["appOwnerPublicKey"], FACTS["device"]["appOwnerPublicKey"])
    CHECKS.that("the token is gone", "clientKey" not in config)
    again = SecretsManager(config=FileKeyValueStorage("bound.json"))
    CHECKS.same("and again from the file", [one.uid for one in again.get_secrets()], [RECORD["uid"]])
    written = again.upload_file(record(again), KeeperFileUpload("bound.txt", "bound.txt", "text/plain", b"bound"))
    CHECKS.that("it may write", written in [file.f["fileUid"] for file in record(again).files])

    second = SecretsManager(token=token, hostname=host, config=InMemoryKeyValueStorage())
    CHECKS.fails("a token that was used", "used already", second.get_secrets)
    stranger = SecretsManager(token="A" * 43, hostname=host, config=InMemoryKeyValueStorage())
    CHECKS.fails("a token that never was", "Unable to validate", stranger.get_secrets)


def refused():
    said = {"expired": "expired", "ip_locked": "another IP address", "revoked": "Unable to validate"}
    for one in FACTS["refused_devices"]:
        sm = device(one["config"])
        if one["why"] in said:
            CHECKS.fails(one["why"], said.pop(one["why"]), sm.get_secrets)
            continue
        found = record(sm)
        CHECKS.same("read only: the record", found.title, RECORD["title"])
        CHECKS.that("read only: it says so", not found.is_editable)
        CHECKS.fails("read only: save", "read-only", sm.save, found)
        CHECKS.fails("read only: upload", "read-only", sm.upload_file, found,
                     KeeperFileUpload("x", "x", "text/plain", b"x"))
        told = sm.delete_secret([RECORD["uid"]])
        CHECKS.same("read only: delete", told[0]["responseCode"], "access_denied")
        CHECKS.fails("read only: folder", "read-only", sm.create_folder, CreateOptions(RECORD["folder"], None), "x")
    CHECKS.same("each was there", said, {})

    config = dict(FACTS["device"])
    config["privateKey"] = FACTS["refused_devices"][0]["config"]["privateKey"]
    CHECKS.fails("the key of another device", "Signature is invalid", device(config).get_secrets)


def mishaps():
    sm = device(custom_key=False)
    fault("throttle")
    start = time.monotonic()
    CHECKS.same("after throttling", len(sm.get_secrets()), 1)
    CHECKS.that("it waited for that", time.monotonic() - start > 0.5)
    fault("http500")
    CHECKS.fails("a 500", "internal server error", sm.get_secrets)
    fault("html502")
    CHECKS.fails("a 502 with a page", "", sm.get_secrets)
    fault("cut_before")
    CHECKS.fails("cut before", "", sm.get_secrets)
    fault("missing_url")
    CHECKS.same("files without url", [file.f["url"] for file in record(sm).files], [None] * 3)

    one = record(sm)
    fault("cut_after")
    CHECKS.fails("cut after", "", sm.save, one)
    CHECKS.that("it was saved nevertheless", record(sm).revision > one.revision)
    fault("stale_revision")
    CHECKS.fails("somebody was faster", "out of sync", sm.save, record(sm))
    fault("cut_upload")
    CHECKS.fails("the form is cut", "", sm.upload_file, record(sm),
                 KeeperFileUpload("cut.bin", "cut.bin", "text/plain", b"cut"))
    cut = [file for file in record(sm).files if file.name == "cut.bin"]
    CHECKS.same("listed without content", [file.f["url"] for file in cut], [None])

    fault("rotate")
    CHECKS.same("after a key rotation", len(sm.get_secrets()), 1)
    CHECKS.same("it keeps the new id", str(sm.config.get(ConfigKeys.KEY_SERVER_PUBLIC_KEY_ID)), "9")
    CHECKS.same("and uses it", len(sm.get_secrets()), 1)


{scenario.__name__: scenario for scenario in (read, write, folders, bind, refused, mishaps)}[sys.argv[1]]()
CHECKS.done()
