"""Stands where the vendor's CLI expects jsonpath-rw-ext, which it uses for `--query` alone.

That rests on jsonpath-rw, of which there is no wheel: installing it would run a build script that no hash covers.
"""


def parse(expression):
    raise NotImplementedError(f"--query {expression} is not part of the witness")
