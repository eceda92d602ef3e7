"""Everything regraft raises on purpose.

RegraftError
├── InputError            the input or the call is wrong: exit code 2
│   ├── DataError         a file, row or label of DATA
│   ├── BackboneError     a backbone's name, folder or weights
│   │   └── HubError      a file of the hub that is not here and cannot be had
│   ├── ModelError        a saved model's folder
│   ├── OptionError       an option's value
│   └── PlanError         a plan that does not fit its outline
├── TrainingError         training could not go on: not a number, out of memory at batch size 1
└── FrozenDriftError      a frozen tensor changed: a bug in regraft, never ignored

A message says what was wrong, where (file, row or option) and how to write it right.
"""


class RegraftError(Exception):
    """Base of every error that regraft raises on purpose."""


class InputError(RegraftError):
    """The input or the call is wrong; the message names the place and the cure."""


class DataError(InputError):
    """DATA cannot be read as a task."""


class BackboneError(InputError):
    """A backbone's name, folder or weights are unusable."""


class HubError(BackboneError):
    """A file of the hub is not on this machine and cannot be had from there."""


class ModelError(InputError):
    """A saved model cannot be loaded or used."""


class OptionError(InputError):
    """An option has a value that it cannot take."""


class PlanError(InputError):
    """A plan does not fit the outline it is for; raised before any compute."""


class TrainingError(RegraftError):
    """Training could not go on; what was finished is kept."""


class FrozenDriftError(RegraftError):
    """A tensor that the plan froze has changed during a run."""
