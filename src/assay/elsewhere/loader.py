"""`CELERY_LOADER=assay.elsewhere.loader:Loader` takes the recorder along where the command cannot be changed."""

import os
from typing import Any

from celery.loaders.app import AppLoader

from assay.elsewhere import aboard
from assay.elsewhere.address import VARIABLE


class Loader(AppLoader):  # type: ignore[misc]
    """Celery's own, and in a worker that a run has started the recorder before anything is connected."""

    def on_worker_init(self) -> Any:
        super().on_worker_init()
        if VARIABLE in os.environ:
            aboard.install(self.app)
