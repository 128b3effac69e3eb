"""The vendor's CLI `ksm` against a keeper-fake. Argument: the program. In the working directory: facts.json."""

import base64
import json
import os
import subprocess
import sys

from checks import Checks, facts, sha256

KSM = sys.argv[1]
FACTS = facts()
CHECKS = Checks()
RECORD = FACTS["record"]
ENVIRONMENT = dict(os.environ, KSM_CONFIG=base64.b64encode(json.dumps(FACTS["device"]).encode()).decode())


def run(*arguments, environment=None):
    done = subprocess.run([KSM, *arguments], env=environment or ENVIRONMENT, capture_output=True, timeout=120)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


def ksm(*arguments, environment=None):
    status, out, error = run(*arguments, environment=environment)
    if status != 0:
        sys.exit(f"ksm {arguments[:2]}: {status}: {error} {out!r}")
    return out


def read(uid=RECORD["uid"], environment=None):
    return json.loads(ksm("secret", "get", "-u", uid, "--json", environment=environment))


def files(uid=RECORD["uid"]):
    return sorted(file["name"] for file in read(uid)["files"])


listed = json.loads(ksm("secret", "list", "--json"))
CHECKS.same("one record", [one["uid"] for one in listed], [RECORD["uid"]])
CHECKS.same("its title", read()["title"], RECORD["title"])
CHECKS.same("its files", files(), sorted(RECORD["files"]))
for name, expected in RECORD["files"].items():
    ksm("secret", "download", "-u", RECORD["uid"], "--name", name, "--file-output", name)
    with open(name, "rb") as file:
        CHECKS.same(f"bytes of {name}", sha256(file.read()), expected["sha256"])
for fact in FACTS["notations"]:
    if "value" in fact:
        CHECKS.same(fact["notation"], ksm("secret", "notation", fact["notation"]).decode().strip(), fact["value"])

with open("new.bin", "wb") as file:
    file.write(b"\x00\xff" * 5000)
ksm("secret", "upload", "-u", RECORD["uid"], "-f", "new.bin")
CHECKS.same("one more", files(), sorted([*RECORD["files"], "new.bin"]))
ksm("secret", "download", "-u", RECORD["uid"], "--name", "new.bin", "--file-output", "back.bin")
with open("back.bin", "rb") as file:
    CHECKS.same("the bytes that were sent", file.read(), b"\x00\xff" * 5000)
ksm("secret", "delete-attachment", "-u", RECORD["uid"], "-f", "new.bin")
CHECKS.same("and gone", files(), sorted(RECORD["files"]))
ksm("secret", "update", "-u", RECORD["uid"], "--field", "login=changed")
login = [field["value"] for field in read()["fields"] if field["type"] == "login"]
CHECKS.same("a field changed", login, [["changed"]])

ksm("secret", "add", "field", "--sf", RECORD["folder"], "--rt", "login", "-t", "made by ksm", "login=somebody")
listed = {one["title"]: one["uid"] for one in json.loads(ksm("secret", "list", "--json"))}
CHECKS.same("two records", sorted(listed), sorted([RECORD["title"], "made by ksm"]))
ksm("secret", "delete", "-u", listed["made by ksm"])
CHECKS.same("one again", len(json.loads(ksm("secret", "list", "--json"))), 1)

ksm("folder", "add", "-f", RECORD["folder"], "-t", "below")
CHECKS.that("a folder below", b"below" in ksm("folder", "list", "--json"))
below = [one for one in json.loads(ksm("folder", "list", "--json")) if "below" in json.dumps(one)]
uid = next(value for key, value in below[-1].items() if "uid" in key.lower() and "parent" not in key.lower())
ksm("folder", "update", "-f", uid, "-t", "renamed")
CHECKS.that("another name", b"renamed" in ksm("folder", "list", "--json"))
ksm("folder", "delete", "-f", uid)
CHECKS.that("and gone", b"renamed" not in ksm("folder", "list", "--json"))

plain = {name: value for name, value in os.environ.items() if name != "KSM_CONFIG"}
ksm("profile", "init", "--hostname", FACTS["host"], "-t", FACTS["tokens"][0], environment=plain)
CHECKS.that("a profile", os.path.exists("keeper.ini"))
CHECKS.same("it reads", read(environment=plain)["title"], RECORD["title"])
status, out, error = run("profile", "init", "--hostname", FACTS["host"], "-t", FACTS["tokens"][0], "-p", "second",
                         "--ini-file", "second.ini", environment=plain)
CHECKS.that("a token is good once", status != 0 and "used already" in error + out.decode())
CHECKS.done()
