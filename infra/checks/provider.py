"""A Terraform provider that has a schema and nothing else: what `validate` and tests with mocks ask of one.

Terraform starts it as a program, reads one line from it and speaks gRPC with it (go-plugin). Every answer but the
schema is an empty message: nothing is wrong. `python -m infra.checks.provider <file of the schema>`.
"""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc

_SCHEMA = "/tfplugin6.Provider/GetProviderSchema"
_HEALTH = "/grpc.health.v1.Health/Check"
_SHUTDOWN = "/plugin.GRPCController/Shutdown"
_SERVING = b"\x08\x01"
_EVERY_SIZE = [("grpc.max_send_message_length", -1)]


class Answers(grpc.GenericRpcHandler):  # type: ignore[misc] # grpc carries no types
    """What is answered by method; a method of no provider is unknown."""

    def __init__(self, schema: bytes, ended: threading.Event) -> None:
        self._fixed = {_SCHEMA: schema, _HEALTH: _SERVING}
        self._ended = ended

    def service(self, call: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        """Give the handler of a call; its messages stay the bytes that they are."""
        if call.method == _SHUTDOWN:
            return grpc.unary_unary_rpc_method_handler(self._end)
        if call.method.startswith("/tfplugin6.Provider/") or call.method in self._fixed:
            answer = self._fixed.get(call.method, b"")
            return grpc.unary_unary_rpc_method_handler(lambda _request, _context: answer)
        return None

    def _end(self, _request: bytes, _context: grpc.ServicerContext) -> bytes:
        self._ended.set()
        return b""


def serve(schema: bytes) -> None:
    """Serve until Terraform ends it."""
    ended = threading.Event()
    server = grpc.server(ThreadPoolExecutor(4), handlers=[Answers(schema, ended)], options=_EVERY_SIZE)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"1|6|tcp|127.0.0.1:{port}|grpc\n")
    sys.stdout.flush()
    ended.wait()
    server.stop(grace=None)


if __name__ == "__main__":
    serve(Path(sys.argv[1]).read_bytes())
