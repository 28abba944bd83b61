"""Settings, from defaults and from the environment."""

import os

DEFAULTS = {
    "PAGE_SIZE": 2,
    "CHECKSUMS": ("sha256",),
    "ORPHAN_TIME": 1440,
    "DOMAIN_ENABLED": False,
}


def parse(text, like):
    """Turn the text of an environment variable into a value like its default."""
    if isinstance(like, bool):
        return text.lower() in ("1", "true", "yes")
    if isinstance(like, int):
        return int(text)
    return tuple(part.strip() for part in text.split(","))


def load(environ=os.environ):
    """All settings; `PULP_NAME` in the environment wins over a default."""
    settings = dict(DEFAULTS)
    for name, default in DEFAULTS.items():
        text = environ.get(f"PULP_{name}")
        if text is not None:
            settings[name] = parse(text, default)
    return settings
