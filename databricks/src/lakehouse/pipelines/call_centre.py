"""What becomes of the call centre beyond silver: dimensions, conformed calls and surveys, and figures by day."""

from lakehouse.conformed import dim_assistentes, dim_clientes, tabe_calls, tabe_pesq_ura, tabe_ura_anlt
from lakehouse.gold import visao_assistentes, visao_ura_calls
from lakehouse.pipelines.pipeline import Balance, Pipeline

PIPELINE = Pipeline(
    feed="call_centre",
    tables=(
        dim_clientes.TABLE,
        dim_clientes.CLEAR_TABLE,
        dim_assistentes.TABLE,
        tabe_ura_anlt.TABLE,
        tabe_calls.TABLE,
        tabe_pesq_ura.TABLE,
        tabe_pesq_ura.SUPERSEDED,
        visao_assistentes.TABLE,
        visao_ura_calls.TABLE,
    ),
    balances=(
        Balance("ura", ("tabe_ura_anlt",)),
        Balance("calls", ("tabe_calls",)),
        Balance("surveys", ("tabe_pesq_ura", "surveys_superseded")),
    ),
)
