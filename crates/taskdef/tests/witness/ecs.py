"""Ask code that is not ours about task definitions: botocore's parameter validation.

Reads {"name": definition, ...} from standard input and writes {"name": report, ...}: what the validator says, empty when
it has nothing to say.
"""

import json
import sys

import botocore.session
import botocore.validate

model = botocore.session.get_session().get_service_model("ecs")
shape = model.operation_model("RegisterTaskDefinition").input_shape
validator = botocore.validate.ParamValidator()
definitions = json.load(sys.stdin)
json.dump({name: validator.validate(value, shape).generate_report() for name, value in definitions.items()}, sys.stdout)
