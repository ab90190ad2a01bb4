"""`python fuzz/service.py [EXAMPLES]`: starts the service and lets schemathesis hold it to its description, with all checks."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

_OPTIONS = ("--no-color", "--generation-deterministic", "--suppress-health-check", "all")
_CONFIGURED = ("--config-file", str(Path(__file__).with_suffix(".toml")))


def main(examples: str = "50") -> int:
    """Send so many requests of each kind to every route; 0 if every check held."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tenfold", "serve", "--port", "0", "--samples", str(Path(folder) / "samples.db")]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as service:
            assert service.stderr is not None
            try:
                url = next(found["url"] for line in service.stderr if (found := json.loads(line))["event"] == "listening")
                with (Path(folder) / "log").open("w") as log:
                    subprocess.Popen(["cat"], stdin=service.stderr, stdout=log)  # or the service would wait for a reader
                    schemathesis = str(Path(sys.executable).parent / "schemathesis")
                    asked = [schemathesis, *_CONFIGURED, "run", f"{url}openapi.json", "--max-examples", examples, *_OPTIONS]
                    return subprocess.run(asked, cwd=folder, check=False).returncode
            finally:
                service.terminate()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
