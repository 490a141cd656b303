"""What remedies say of what Celery itself gets wrong, and the page about it, as `assay list findings` prints it."""

from pathlib import Path

NAME = "celery-findings.md"
PAGE = "`assay list findings`"
BEYOND = (
    f"no setting of the app mends it: {PAGE} tells what Celery itself gets wrong; what you accept of it, list under "
    "`known`"
)
SUPERVISOR = f"let a supervisor start the worker again; {PAGE} tells where Celery itself gives up"


def page() -> str:
    """As it is in docs/, of which the build puts a copy beside this module; where nothing was built, that itself."""
    here = Path(__file__).parent
    built, own = here / NAME, here.parents[1] / "docs" / NAME
    return (built if built.exists() else own).read_text(encoding="utf-8")
