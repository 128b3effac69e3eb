"""A first login on a new device, with Commander's own functions; only the questions to a person are ours.

Argument: path of a config.json with `server` and `user`. Each question is one line on stdout (`? device`, `? factor`,
`? password`), its answer one line on stdin. The last line is JSON about the session.
"""

import hashlib
import json
import sys

from keepercommander import cli
from keepercommander.__main__ import get_params_from_config
from keepercommander.auth import console_ui, login_steps
from keepercommander.loginv3 import LoginV3Flow


def ask(question):
    print("? " + question, flush=True)
    return sys.stdin.readline().strip()


class Questions(console_ui.ConsoleLoginUi):
    def on_device_approval(self, step):
        step.send_push(login_steps.DeviceApprovalChannel.Email)
        step.send_code(login_steps.DeviceApprovalChannel.Email, ask("device"))

    def on_two_factor(self, step):
        step.duration = login_steps.TwoFactorDuration.EveryLogin
        step.send_code(step.get_channels()[0].channel_uid, ask("factor"))

    def on_password(self, step):
        step.verify_password(ask("password"))


params = get_params_from_config(sys.argv[1])
LoginV3Flow(Questions()).login(params)
for command in ["this-device register", "this-device persistent-login on", "this-device timeout 60"]:
    cli.do_command(params, command)
print(json.dumps({"user": params.user, "data_key": hashlib.sha256(params.data_key).hexdigest()}), flush=True)
