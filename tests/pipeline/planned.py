"""The cameras of a run as its stages see them."""

from pathlib import Path

from vidreid.pipeline.plan import CameraPlan, plan_camera
from vidreid.settings import Settings
from vidreid.store.folder import RunFolder


def planned(path: Path) -> dict[str, CameraPlan]:
    """Plans of a run whose ingest is done, by camera."""
    folder = RunFolder(path)
    record = folder.read()
    settings = Settings.model_validate(record.settings)
    found = {camera.name: plan_camera(folder, camera.usable, settings) for camera in record.cameras}
    return {name: plan for name, plan in found.items() if plan is not None}
