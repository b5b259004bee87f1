import io

from rich.console import Console

from local.demo.telemetry import print_telemetry


def test_what_arrived_is_one_line():
    sink = io.StringIO()
    counts = {"AppTraces": 1_200, "AppExceptions": 34, "AppRequests": 5, "AppDependencies": 6, "AppMetrics": 7}

    print_telemetry(Console(file=sink, width=100), counts)

    assert sink.getvalue() == "Telemetry that arrived: 1,234 lines, 11 spans, 7 points of metrics.\n"
