"""Tables by hand for the tests of the store."""

import numpy as np
import pyarrow as pa

from vidreid.store import schema
from vidreid.store.parts import Header

HEADER = Header({"stage": "track", "score": 0.1}, {"vidreid": "0.1.0"}, {"frames": 3, "lost": []})
SCHEMAS = {name: value for name, value in vars(schema).items() if isinstance(value, pa.Schema)}


def tracks(rows: int, seed: int = 0) -> pa.Table:
    """A track part's table of random numbers."""
    rng = np.random.default_rng(seed)
    columns = [pa.array(rng.uniform(0, 1000, rows)).cast(field.type, safe=False) for field in schema.TRACKS]
    return pa.table(columns, schema=schema.TRACKS).replace_schema_metadata(None)
