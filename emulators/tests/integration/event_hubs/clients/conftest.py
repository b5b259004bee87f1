"""A hub and an Entra of their own, and Microsoft's clients in other languages as programs that talk to them."""

import base64
import json
import queue
import subprocess
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from emulators.entra.identities import Client, Identities, SharedAccessKey, write_identities
from emulators.testing import running_service
from emulators.tls import TlsFiles, make_tls_files
from tests.integration.event_hubs.conftest import POLICY, Hub

PROGRAMS = Path(__file__).parents[3] / "clients"
JARS = Path(__file__).parents[5] / ".cache" / "jars-client"
TRANSPORTS = ("amqp", "websockets")
PARTITIONS = 6
LIMIT = 1_048_576
ANSWER_SECONDS = 60
SENDER, RECEIVER = Client("sender", "sender-secret", "Sender"), Client("receiver", "receiver-secret", "Receiver")
LISTENER = SharedAccessKey("listener", "a-listening-key-for-tests", ("Listen",))
TENANT = "11111111-2222-3333-4444-555555555555"
IDENTITIES = Identities(TENANT, (SENDER, RECEIVER), (POLICY, LISTENER))


def shared(policy):
    return {"kind": "sas", "name": policy.name, "key": policy.key}


class Failed(Exception):
    """A client's error as it told it: `name`, `condition`, `message`."""

    def __init__(self, error):
        super().__init__(json.dumps(error))
        self.name, self.condition, self.message = error["name"], error["condition"], error["message"]


def javascript(_):
    """Command line of the program for JavaScript."""
    needed(PROGRAMS / "javascript" / "node_modules", "scripts/setup")
    return ["node", PROGRAMS / "javascript" / "client.js"]


def java(folder):
    """Command line of the program for Java, which is compiled into a folder."""
    sources = sorted((PROGRAMS / "java").glob("*.java"))
    path = needed(JARS, "scripts/setup-java-client") / "*"
    subprocess.run(["javac", "--release", "17", "-d", folder, "-cp", path, *sources], check=True)
    return ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{folder}:{JARS}/*", "Client"]


def needed(folder, script):
    """Return a folder that a script makes."""
    assert folder.is_dir(), f"{folder} is missing: run {script}."
    return folder


CLIENTS = {"javascript": javascript, "java": java}
"""How each client's program is started. What it reads and writes is in the folder's README."""


class Process:
    """A client's program, which serves all of its connections."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.errors = []
        self._answers = queue.Queue()
        self._readers = [threading.Thread(target=self._read), threading.Thread(target=self._read_errors)]
        for reader in self._readers:
            reader.start()

    def tell(self, message):
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()
        try:
            answer = self._answers.get(timeout=ANSWER_SECONDS)
        except queue.Empty:
            answer = None
        assert answer, f"no answer to {message.get('do', 'a connection')}: {''.join(self.errors[-20:])}"
        if "error" in answer:
            raise Failed(answer["error"])
        return answer

    def end(self):
        self.process.stdin.close()
        self.process.wait(20)
        for reader in self._readers:
            reader.join(20)
        self.process.stdout.close()
        self.process.stderr.close()

    def _read(self):
        for line in self.process.stdout:
            self._answers.put(json.loads(line))
        self._answers.put(None)

    def _read_errors(self):
        self.errors.extend(self.process.stderr)


class Program:
    """One connection of a client's program to one hub; each method is one of its commands."""

    def __init__(self, process, name, place):
        self._process = process
        self._name = name
        self._tell(place)

    def ask(self, command, **fields):
        return self._tell({"do": command} | fields)

    def send(self, *bodies, **where):
        events = [{"body": base64.b64encode(body).decode(), "properties": {}} for body in bodies]
        return self.ask("send", events=events, **where)

    def receive(self, partition, count, group="$Default", seconds=20, inclusive=False, owner_level=None, **position):
        return self.ask(
            "receive", count=count, seconds=seconds, **_reading(partition, group, position, inclusive, owner_level)
        )["events"]

    def hold(self, partition, group="$Default", inclusive=False, owner_level=None, **position):
        self.ask("hold", **_reading(partition, group, position, inclusive, owner_level))

    def close(self):
        self.ask("close")

    def _tell(self, message):
        return self._process.tell({"connection": self._name} | message)


def _reading(partition, group, position, inclusive, owner_level):
    level = {} if owner_level is None else {"owner_level": owner_level}
    return {"partition": partition, "group": group, "from": position | {"inclusive": inclusive}} | level


@dataclass
class Place:
    """The running hub and Entra, and the programs connected to them."""

    hub: Hub
    authority: str
    folder: Path
    processes: dict = field(default_factory=dict)
    programs: dict = field(default_factory=dict)

    def connect(self, client, transport, hub, login):
        """Return the program of a client that is connected like this, started if there is none yet."""
        key = (client, transport, hub, json.dumps(login))
        if key not in self.programs:
            place = self._place(transport, hub, login)
            self.programs[key] = Program(self._process(client), str(len(self.programs)), place)
        return self.programs[key]

    def end(self):
        for program in self.programs.values():
            program.close()
        for process in self.processes.values():
            process.end()

    def _process(self, client):
        if client not in self.processes:
            self.processes[client] = Process(CLIENTS[client](self.folder / client))
        return self.processes[client]

    def _place(self, transport, hub, login):
        ports = {name: urlsplit(address).port for name, address in self.hub.addresses.items()}
        return {
            "endpoint": "localhost",
            "port": ports["amqps"],
            "websocket_port": ports["websockets"],
            "ca": str(self.hub.tls.authority),
            "transport": transport,
            "namespace": "local.servicebus.windows.net",
            "hub": hub,
            "credential": login,
        }


def hub_of(client, transport):
    return f"{client}-{transport}"


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clients")
    tls = make_tls_files(folder)
    write_identities(IDENTITIES, folder / "identities.json")
    common = ("--certificate", tls.server, "--identities", folder / "identities.json")
    hubs = ",".join(f"{hub_of(client, transport)}:{PARTITIONS}" for client in CLIENTS for transport in TRANSPORTS)
    with ExitStack() as stack:
        entra = stack.enter_context(running_service("entra", "--port", 0, *common))
        addresses = stack.enter_context(
            running_service("event_hubs", *common, *_options(entra, tls, hubs), log=folder / "hub.log")
        )
        found = Place(Hub(addresses, None, tls), entra["authority"], folder)
        yield found
        found.end()


def _options(entra, tls: TlsFiles, hubs):
    ports = ("--amqps-port", 0, "--amqp-port", 0, "--websocket-port", 0, "--admin-port", 0)
    groups = ("--consumer-groups", "$Default,audit")
    return ("--hubs", hubs, *ports, *groups, "--issuer", entra["issuer"], "--authority", tls.authority)


@pytest.fixture(scope="session")
def hub(place):
    """In place of the folder above's."""
    return place.hub


@pytest.fixture(params=[(client, transport) for client in CLIENTS for transport in TRANSPORTS], ids="-".join)
def way(request):
    return request.param


@pytest.fixture
def name(way):
    """The hub of this client and transport."""
    return hub_of(*way)


@pytest.fixture
def connect(place, way, name):
    """Connect as someone else, or elsewhere."""

    def as_one(login, hub=name):
        return place.connect(*way, hub, login)

    return as_one


@pytest.fixture
def program(connect):
    """The client, with the policy that may do everything."""
    return connect(shared(POLICY))


@pytest.fixture
def last(hub, name):
    """The last sequence number of each partition before the test."""
    return last_sequences(hub, name)


def last_sequences(hub, name):
    return [partition["last_sequence_number"] for partition in hub.admin("GET", "/hubs")["hubs"][name]]


def refused(asking):
    with pytest.raises(Failed) as failed:
        asking()
    return failed.value
