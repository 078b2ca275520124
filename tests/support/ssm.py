"""Programs that stand for `aws` and its session-manager-plugin: they say what those say, and really forward.

Two processes, as in reality: `aws` starts the plugin, waits for it, and leaves Ctrl-C to it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

AWS = """\
#!{python}
import json, os, signal, subprocess, sys
with open({log!r}, "a") as log:
    log.write(json.dumps([sys.argv[1:], {{k: v for k, v in os.environ.items() if k.startswith("AWS_")}}]) + "\\n")
options = dict(zip(sys.argv[3::2], sys.argv[4::2]))
assert sys.argv[1:3] == ["ssm", "start-session"], sys.argv
assert options["--document-name"] == "AWS-StartPortForwardingSessionToRemoteHost"
refusals = {refusals!r}
target = options["--target"]
if target in refusals:
    print(refusals[target].format(**os.environ), file=sys.stderr)
    sys.exit(254)
parameters = json.loads(options["--parameters"])
(host,), (port,) = parameters.pop("host"), parameters.pop("portNumber")
assert not parameters
signal.signal(signal.SIGINT, signal.SIG_IGN)
plugin = os.path.join(os.path.dirname(sys.argv[0]), "session-manager-plugin")
sys.exit(subprocess.call([plugin, json.dumps({places!r}.get(host + ":" + port)), target]))
"""

PLUGIN = """\
#!{python}
import json, os, select, signal, socket, sys, threading
signal.signal(signal.SIGINT, lambda *_: (print("Terminate signal received, exiting."), sys.stdout.flush(), os._exit(0)))
place, target = json.loads(sys.argv[1]), sys.argv[2]
print("\\nStarting session with SessionId: analyst-0123456789abcdef0")
if target == "i-slow":
    sys.stdout.flush()
    signal.pause()
listener = socket.create_server(("127.0.0.1", 0))
print("Port", listener.getsockname()[1], "opened for sessionId analyst-0123456789abcdef0.")
print("Waiting for connections...")
sys.stdout.flush()

def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

while True:
    near, _ = listener.accept()
    print("\\nConnection accepted for session [analyst-0123456789abcdef0]")
    sys.stdout.flush()
    try:
        far = socket.create_connection(tuple(place))
    except (OSError, TypeError):
        print("\\nConnection to destination port failed, check SSM Agent logs.")
        sys.stdout.flush()
        near.close()
        continue
    for pair in ((near, far), (far, near)):
        threading.Thread(target=pump, args=pair, daemon=True).start()
"""

REFUSALS = {
    "i-off": "\nAn error occurred (TargetNotConnected) when calling the StartSession operation: i-off is not "
    "connected.",
    "i-denied": "\nAn error occurred (AccessDeniedException) when calling the StartSession operation: User: "
    "arn:aws:iam::123456789012:user/a is not authorized to perform: ssm:StartSession on resource: "
    "arn:aws:ec2:us-east-1:123456789012:instance/i-denied",
    "i-expired": "\nAn error occurred (ExpiredTokenException) when calling the StartSession operation: The security "
    "token included in the request is expired",
    "i-plugin": "\nSessionManagerPlugin is not found. Please refer to SessionManager Documentation here: "
    "http://docs.aws.amazon.com/console/systems-manager/session-manager-plugin-not-found",
    "i-leak": "debug: {AWS_SECRET_ACCESS_KEY} and TokenValue=AAEAAcmFuZG9t failed",
    "i-mute": "",
}


@dataclass
class Ssm:
    """The stand-ins, in a folder that is to come first on the PATH."""

    bin: Path
    log: Path

    @property
    def started(self) -> list[tuple[list[str], dict[str, str]]]:
        """Arguments and AWS's variables of each start."""
        if not self.log.exists():
            return []
        return [tuple(json.loads(line)) for line in self.log.read_text("utf-8").splitlines()]


def make_ssm(folder: Path, places: dict[str, tuple[str, int]]) -> Ssm:
    """Write the stand-ins; `places` says where the endpoints (`HOST:PORT`) are in reality."""
    made = Ssm(folder / "bin", folder / "log")
    made.bin.mkdir(exist_ok=True)
    facts = {"python": sys.executable, "log": str(made.log), "places": places, "refusals": REFUSALS}
    for name, text in (("aws", AWS), ("session-manager-plugin", PLUGIN)):
        path = made.bin / name
        path.write_text(text.format(**facts), "utf-8")
        path.chmod(0o755)
    return made
