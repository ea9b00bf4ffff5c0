import importlib


def __getattr__(name):
    if name == "load":
        return importlib.import_module("dreamer.checkpoint").restore
    raise AttributeError(f"module 'dreamer' has no attribute '{name}'")
