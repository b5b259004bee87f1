"""What becomes of payments beyond silver: sums of five minutes by country, and accounts with signals of fraud.

There is no balance: a row of either table is of an hour or of five minutes, whichever windows its payments came in. Of
`transactions_5min` it is true that its counts together are the rows of silver; windows can't be told apart there.
"""

from lakehouse.gold import fraud_signals, transactions_5min
from lakehouse.pipelines.pipeline import Pipeline

PIPELINE = Pipeline(feed="payments", tables=(transactions_5min.TABLE, fraud_signals.TABLE))
