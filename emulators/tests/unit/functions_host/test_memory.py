from emulators.functions_host.keys import host_keys, read_keys
from emulators.functions_host.memory import open_memory


def test_what_is_put_is_there_after_opening_again(tmp_path):
    state = tmp_path / "made" / "state.sqlite"
    with open_memory(state) as memory:
        memory.put("timer:a", "1")
        memory.put("timer:a", "2")

    with open_memory(state) as memory:
        assert (memory.get("timer:a"), memory.get("timer:b")) == ("2", None)


def test_keys_are_made_once_and_differ(tmp_path):
    with open_memory(tmp_path / "state.sqlite") as memory:
        keys = host_keys(memory)

    assert read_keys(tmp_path / "state.sqlite") == keys
    assert len({keys.master, keys.function, keys.durable}) == 3
