"""What each task was held to, in lines: what is demanded and where, and what is inferred. Shared by all texts."""

from assay.counted import listed
from assay.report import Contract, Part, Report

TITLE = "Contracts"
SHOWN = 3


def contracts(report: Report) -> list[str]:
    """ "shop.charge: delivery effectively once, recovery 30 s (assay.toml:7); inferred: run 600 s (time_limit)".

    The most important first; tasks that are held to the same, for the same reasons, are told once.
    """
    told: dict[str, list[str]] = {}
    for each in report.contracts:
        told.setdefault(_line(each), []).extend(each.members or [each.task])
    return [f"{listed(names, SHOWN)}: {line}" for line, names in told.items()]


def _line(contract: Contract) -> str:
    by_place: dict[str, list[str]] = {}
    for part in contract.parts:
        if part.demanded:
            by_place.setdefault(", ".join(filter(None, (part.by, part.place))), []).append(_words(part))
    demanded = [f"{', '.join(words)}{f' ({place})' * bool(place)}" for place, words in by_place.items()]
    inferred = [_words(part) + (f" ({part.by})" if part.by else "") for part in contract.parts if not part.demanded]
    importance = f"importance {contract.importance}; " if contract.importance else ""
    told = [f"demanded: {', '.join(demanded)}"] * bool(demanded) + [f"inferred: {', '.join(inferred)}"] * bool(inferred)
    return importance + ("; ".join(told) or "nothing is required, and nothing claimed")


def _words(part: Part) -> str:
    match part.name:
        case "delivery":
            return f"delivery {str(part.value).replace('_', ' ')}"
        case "attempts":
            return f"at most {part.value} attempts"
        case "recovery_s":
            return f"recovery in {part.value:g} s"
        case "run_s":
            return f"a run of {part.value:g} s at most"
    return f"{part.name} {part.value}"
