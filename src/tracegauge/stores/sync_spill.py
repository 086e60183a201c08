"""Takes along the traces that the tracker left on disk, because no store would take them."""

from pathlib import Path

from tracegauge.stores.findings import Findings
from tracegauge.stores.sync_ends import Ends
from tracegauge.stores.sync_traces import TraceSync
from tracegauge.tracking.delivery.parcel import Parcel
from tracegauge.tracking.delivery.spill import Spill
from tracegauge.tracking.destination import resolve_destination

SPILL_FOLDER = Path(".tracegauge/spill")
_BATCH = 20


def take_spilled(folder: Path, source_uri: str, ends: Ends, traces: TraceSync, findings: Findings) -> int:
    """Write what was spilled for the source or the target to the target; returns how many traces.

    Lines are removed only when the target has them; a process that still runs keeps its own files. Raises StoreError.
    """
    taken = 0
    for uri, ids in ((ends.target_uri, None), (source_uri, ends.experiment_ids)):
        spill = Spill(folder, resolve_destination(uri).uri, max_bytes=0)
        if damaged := spill.take_over():
            findings.skipped("spilled trace", str(folder), "the line is damaged", damaged)
        try:
            while found := spill.read(_BATCH):
                file, lines = found
                parcels = [
                    parcel for line in lines if (parcel := _parcel(line.text or "", str(file.path), ids, findings))
                ]
                refused = traces.write(parcels)
                taken += len(parcels) - len(refused)
                spill.remove(file, lines)
        finally:
            spill.close()
    return taken


def _parcel(text: str, path: str, experiment_ids: dict[str, str] | None, findings: Findings) -> Parcel | None:
    try:
        parcel = Parcel.from_json(text)
    except (ValueError, KeyError, TypeError) as error:
        findings.skipped("spilled trace", path, f"no trace can be made of a line: {error!r}")
        return None
    if experiment_ids is None:
        return parcel
    return parcel.readdressed(experiment_ids.get(parcel.experiment_id, parcel.experiment_id))
