"""`connbench load` as a child whose events a test can wait for (harness/load/load_result.h has the
protocol): where its window begins is seen, not guessed from the time that starting takes."""
import socket
import subprocess

from servers import CLIENT_TIMEOUT_S


def load_command(binary, folder, *options):
    """Four connections that send SELECT 1; the result goes to folder/result.json."""
    script = folder / "one.sql"
    script.write_text("SELECT 1;\n")
    return [str(binary), "load", "-f", str(script), "-q", "-c", "4", "--result-file",
            str(folder / "result.json"), *options]


class LoadProcess:
    """load_command() with the test in the place of the harness: to it belongs the report, too, so
    that nothing is printed but errors."""

    def __init__(self, binary, server, folder, *options, **environment):
        self._events, theirs = socket.socketpair()
        self._events.settimeout(CLIENT_TIMEOUT_S)
        self._lines = self._events.makefile("r")
        self._process = subprocess.Popen(
            load_command(binary, folder, "--control-fd", str(theirs.fileno()), *options),
            env=server.environment(**environment), pass_fds=[theirs.fileno()],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        theirs.close()

    @property
    def pid(self):
        return self._process.pid

    @property
    def returncode(self):
        return self._process.returncode

    def _go_on(self):
        """Answers the next event; its name, or None if the load has ended."""
        line = self._lines.readline()
        if not line:
            return None
        self._events.send(b"g")
        return line.split()[1]

    def begin(self):
        """Returns when its measured window begins."""
        while (event := self._go_on()) != "begin":
            assert event is not None, self.finish()

    def finish(self):
        """Lets it come to its end; its output."""
        while self._go_on() is not None:
            pass
        return self._process.communicate(timeout=CLIENT_TIMEOUT_S)[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()
        self._lines.close()
        self._events.close()
