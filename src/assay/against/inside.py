"""What distributions an environment has, and which of them do not fit together. Run in it: `python -m ...inside`."""

import json
import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

Known = dict[str, Distribution]  # by canonical name


def installed(found: Iterable[Distribution] | None = None) -> Known:
    """By canonical name; of several the one that is imported, which is the first on the path."""
    known: Known = {}
    for each in distributions() if found is None else found:
        if each.metadata["Name"]:
            known.setdefault(str(canonicalize_name(each.metadata["Name"])), each)
    return known


def needs(distribution: Distribution) -> list[Requirement]:
    """What it requires here, extras apart; what cannot be read is passed over, as it is by pip."""
    found = []
    for line in distribution.requires or ():
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            found.append(requirement)
    return found


def closure(names: Iterable[str], known: Known) -> set[str]:
    """These and all that they require, as far as it is installed."""
    found: set[str] = set()
    left = [str(canonicalize_name(name)) for name in names]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += [str(canonicalize_name(each.name)) for each in needs(known[name])] if name in known else []
    return found


def conflicts(known: Known) -> list[str]:
    """ "django-celery-results 2.6.0 requires celery<6.0,>=5.2.7, and 5.1.0 is installed" for each."""
    said = []
    for name, distribution in sorted(known.items()):
        for each in needs(distribution):
            other = known.get(str(canonicalize_name(each.name)))
            if other is not None and not each.specifier.contains(other.version, prereleases=True):
                wanted = f"{each.name}{each.specifier}"
                said.append(f"{name} {distribution.version} requires {wanted}, and {other.version} is installed")
    return said


if __name__ == "__main__":
    here = installed()
    versions = {name: each.version for name, each in here.items()}
    json.dump({"versions": versions, "conflicts": conflicts(here)}, sys.stdout)
