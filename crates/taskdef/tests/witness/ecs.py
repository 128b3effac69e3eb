"""Ask code that is not ours about task definitions: botocore's parameter validation, and Moto.

Reads {"name": definition, ...} from standard input and writes {"name": answer, ...}: for `validate` the
report of the validator, empty when it has nothing to say; for `moto` what describing the revision gives
back after registering it.
"""

import json
import sys


def validate(definitions):
    import botocore.session
    import botocore.validate

    model = botocore.session.get_session().get_service_model("ecs")
    shape = model.operation_model("RegisterTaskDefinition").input_shape
    validator = botocore.validate.ParamValidator()
    return {name: validator.validate(value, shape).generate_report() for name, value in definitions.items()}


def moto(definitions):
    import boto3
    from moto import mock_aws

    answers = {}
    with mock_aws():
        client = boto3.client(
            "ecs", region_name="eu-west-1", aws_access_key_id="none", aws_secret_access_key="none"
        )
        for name, value in definitions.items():
            client.register_task_definition(**value)
            answers[name] = client.describe_task_definition(taskDefinition=value["family"])["taskDefinition"]
    return answers


# `probe-…` only finds out whether the witness is there.
mode = sys.argv[1]
if mode == "probe-validate":
    import botocore.session  # noqa: F401
elif mode == "probe-moto":
    import boto3  # noqa: F401
    import moto  # noqa: F401,F811
else:
    answer = {"validate": validate, "moto": moto}[mode](json.load(sys.stdin))
    json.dump(answer, sys.stdout, default=str)
