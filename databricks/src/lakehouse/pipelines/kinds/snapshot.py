"""Tables that hold what a stream or a lookup says now."""

from dataclasses import dataclass

from lakehouse.pipelines.kinds.kind import OWN_ROWS, Inputs, MakeRows, NewRows, Rewritten, RowsOfKeys


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole table is compared with its source; rows that the source no longer has go.

    source: a stream, or a lookup: of this the newest window's or day's is taken.
    """

    source: str

    @property
    def follows(self) -> tuple[str, ...]:
        """Name the source."""
        return (self.source,)

    def rewritten(self, inputs: Inputs, build: MakeRows) -> Rewritten | None:
        """Give all rows, and the keys of all that there are or were."""
        rows = build({})
        if inputs.is_new:
            return NewRows(rows)
        return RowsOfKeys(rows, rows.select(*inputs.key).unionByName(inputs.read(OWN_ROWS).select(*inputs.key)))
