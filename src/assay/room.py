"""A disk that takes no more is the machine's trouble, and not a defect of Assay."""

import errno

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}


def no_room(error: BaseException) -> str:
    """What to tell of an error that says so, with the file where it is known; "" for any other."""
    if not isinstance(error, OSError) or error.errno not in FULL:
        return ""
    what = error.filename or "the run's records"
    return f"{what} cannot be written: {error.strerror}; make room, or name another folder by --out (or TMPDIR)"
