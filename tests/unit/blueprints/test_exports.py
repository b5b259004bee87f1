from types import SimpleNamespace

from blueprints import exports


def test_each_tick_exports_the_rows_that_are_due(monkeypatch):
    asked = []
    monkeypatch.setattr(exports, "services", lambda: SimpleNamespace(export_tools="tools"))
    monkeypatch.setattr(exports, "export_rows", lambda *given: asked.append(given))

    exports.export_sql_rows.build().get_user_function()(SimpleNamespace(past_due=True))

    assert asked == [("tools",)]
