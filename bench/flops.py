"""Arithmetic of a program: the operations of its matrix products and convolutions.

XLA's own count takes the body of a loop once; here it counts as often as it runs.
"""

import math

import jax


def count(function, *arguments):
    """Floating-point operations (a multiply-add is two) of `function` on arguments like these."""
    return _total(jax.make_jaxpr(function)(*arguments).jaxpr)


def _total(program):
    return sum(_one(equation) for equation in program.eqns)


def _one(equation):
    kind, parameters = equation.primitive.name, equation.params
    if kind == "dot_general":
        (contracted, _), _ = parameters["dimension_numbers"]
        left = equation.invars[0].aval.shape
        inner = math.prod(left[axis] for axis in contracted)
        return 2 * math.prod(equation.outvars[0].aval.shape) * inner
    if kind == "conv_general_dilated":
        kernel = equation.invars[1].aval.shape
        outputs = kernel[parameters["dimension_numbers"].rhs_spec[0]]
        return 2 * math.prod(equation.outvars[0].aval.shape) * math.prod(kernel) // outputs
    times = parameters.get("length", 1) if kind == "scan" else 1
    inner = [item for value in parameters.values() for item in _programs(value)]
    return times * sum(_total(program) for program in inner)


def _programs(value):
    """The programs inside an equation's parameter."""
    found = value if isinstance(value, tuple | list) else (value,)
    programs = (getattr(item, "jaxpr", item) for item in found)
    return [item for item in programs if hasattr(item, "eqns")]
