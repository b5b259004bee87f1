"""What becomes of the call centre beyond silver: its calls, attendances and surveys in conformed columns."""

from lakehouse.conformed import tabe_calls, tabe_pesq_ura, tabe_ura_anlt
from lakehouse.pipelines.pipeline import Balance, Pipeline

PIPELINE = Pipeline(
    feed="call_centre",
    tables=(tabe_ura_anlt.TABLE, tabe_calls.TABLE, tabe_pesq_ura.TABLE, tabe_pesq_ura.SUPERSEDED),
    balances=(
        Balance("ura", ("tabe_ura_anlt",)),
        Balance("calls", ("tabe_calls",)),
        Balance("surveys", ("tabe_pesq_ura", "surveys_superseded")),
    ),
)
