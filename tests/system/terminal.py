"""A program on a terminal of its own, driven as by a person: what is typed, what appears."""
import contextlib
import os
import pty
import re
import select
import signal
import time


class Terminal:
    def __init__(self, *command, env):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, {**env, "TERM": "dumb"})
        self.seen = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        os.close(self.fd)

    def type(self, text):
        os.write(self.fd, text.encode())

    def expect(self, pattern, timeout_s=20):
        """Waits until pattern has appeared since the last expect(); returns what did."""
        deadline = time.monotonic() + timeout_s
        while not (match := re.search(pattern, self.seen)):
            readable, _, _ = select.select([self.fd], [], [],
                                           max(0, deadline - time.monotonic()))
            assert readable, f"{pattern!r} did not appear, but {self.seen!r}"
            self.seen += os.read(self.fd, 65536).decode().replace("\r\n", "\n")
        before, self.seen = self.seen[:match.end()], self.seen[match.end():]
        return before

    def exit_status(self):
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
