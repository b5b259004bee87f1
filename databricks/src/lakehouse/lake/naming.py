"""How the tables of the lakehouse are called in a workspace: `<catalog>.<prefix><layer>.<name>`."""

from dataclasses import dataclass

RESTRICTED = "restricted"
"""The layer of the tables with personal data in clear text."""

LAYERS = ("bronze", "silver", "gold", RESTRICTED)


@dataclass(frozen=True, slots=True)
class Names:
    """Where the tables lie. catalog: empty for the session's own. schema_prefix: sets developers apart, `ann_` say."""

    catalog: str = ""
    schema_prefix: str = ""

    def schema(self, layer: str) -> str:
        """Name the schema of a layer."""
        return ".".join([*([f"`{self.catalog}`"] if self.catalog else []), f"`{self.schema_prefix}{layer}`"])

    def table(self, name: str) -> str:
        """Name a table in full; name: `<layer>.<table>`, as the rest of the code calls it."""
        layer, _, table = name.partition(".")
        return f"{self.schema(layer)}.`{table}`"
