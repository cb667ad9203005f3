"""The configuration file: names for models, their roles in a team, and a team's defaults. docs/providers.md shows one.

It holds no keys: `key_env` names the environment variable that does.

values.py     the values of a file
load.py       finds, reads and checks a file
rules.py      valid values of each field, also in words
problems.py   problems of a file, in sentences; toml_lines.py finds the line of each
"""

from musespark.config.load import (
    VARIABLE,
    check_config,
    config_path,
    home_folder,
    load_config,
    without_credentials,
)
from musespark.config.problems import ConfigProblem
from musespark.config.rules import (
    ABILITY_RULES,
    FLAGS,
    LOCAL_FIELDS,
    MAX_NAME,
    MODEL_RULES,
    PRICE_RULES,
    REMOTE_FIELDS,
    ROLE_RULES,
    TEAM_RULES,
    TELEMETRY_RULES,
    Rule,
)
from musespark.config.values import Config, ModelConfig, Roles, TeamConfig, TelemetryConfig

__all__ = [
    "ABILITY_RULES",
    "FLAGS",
    "LOCAL_FIELDS",
    "MAX_NAME",
    "MODEL_RULES",
    "PRICE_RULES",
    "REMOTE_FIELDS",
    "ROLE_RULES",
    "TEAM_RULES",
    "TELEMETRY_RULES",
    "VARIABLE",
    "Config",
    "ConfigProblem",
    "ModelConfig",
    "Roles",
    "Rule",
    "TeamConfig",
    "TelemetryConfig",
    "check_config",
    "config_path",
    "home_folder",
    "load_config",
    "without_credentials",
]
