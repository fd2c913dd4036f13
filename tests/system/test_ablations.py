"""Settings that change one thing of the machine or of the way to the server: that each took effect,
read back from the kernel or by SQL, and that what a model or machine cannot do is said at the
start."""
import contextlib
import csv
import ctypes
import os
import pathlib
import platform
import re
import resource
import socket
import subprocess
import threading
import time

import psycopg
import pytest

from servers import CLIENT_TIMEOUT_S, MACHINE_CHECKS, Connbench, server_starter, wait_until

FUTEX = {"x86_64": 202, "aarch64": 98}
FUTEX_PRIVATE_FLAG = 128
EPOLLEXCLUSIVE = 1 << 28
ALLOCATORS = {"jemalloc": ("libjemalloc.so.2", "libjemalloc2"),
              "tcmalloc": ("libtcmalloc_minimal.so.4", "libtcmalloc-minimal4"),
              "mimalloc": ("libmimalloc.so.2.0", "libmimalloc2.0")}


@pytest.fixture
def serve(binary):
    """serve(model, name=value, ...) -> a started server, which is stopped at the end."""
    with server_starter(binary) as start:
        yield start


def proc(pid, name):
    """What the kernel says of a process or a task; nothing of one that has ended: sessions end
    after their clients have left, and what was listed a moment ago may be gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/{name}").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def listed(pid, folder):
    """The names in a folder of a process; none of one that has ended."""
    try:
        return os.listdir(f"/proc/{pid}/{folder}")
    except (FileNotFoundError, ProcessLookupError):
        return []


def refusal(binary, model, *settings, before=None):
    """What a server that must not start says."""
    words = [word for setting in settings for word in ("--set", setting)]
    result = subprocess.run([str(binary), "serve", "--model", model, "-p", "0", *words],
                            capture_output=True, text=True, timeout=30, preexec_fn=before)
    assert result.returncode in (1, 2), (result.returncode, result.stdout, result.stderr)
    assert "ready on" not in result.stdout
    return result.stderr


def pids(server):
    return server.children() + [server.process.pid]


# --- futexes ---

def futex_operations(server):
    """The operations of the futexes in the segment on which the server's threads sleep."""
    operations = []
    for pid in server.children():
        ranges = [tuple(int(end, 16) for end in line.split()[0].split("-"))
                  for line in proc(pid, "maps").splitlines() if server.segment.name in line]
        for task in listed(pid, "task"):
            words = proc(pid, f"task/{task}/syscall").split()
            if words[:1] != [str(FUTEX[platform.machine()])]:
                continue
            address, operation = int(words[1], 16), int(words[2], 16)
            if any(begin <= address < end for begin, end in ranges):
                operations.append(operation)
    return operations


@pytest.mark.parametrize("private", ["off", "on"])
@pytest.mark.parametrize("kind", ["thread", "thread-pool", "pool-tx-thread"])
def test_futexes_are_private_when_asked_for_and_shutdown_still_wakes(binary, kind, private):
    server = Connbench(binary, kind, private_futexes=private, shutdown_grace="60s").start()
    errors = []

    def wait_for_row():
        try:
            with server.connect() as waiter:
                waiter.execute("update t set b = 2")
        except psycopg.Error as error:
            errors.append(error)

    thread = threading.Thread(target=wait_for_row)
    try:
        with server.connect() as setup:
            setup.execute("create table t (a int primary key, b int)")
            setup.execute("insert into t values (1, 0)")
        holder = server.connect(autocommit=False)
        holder.execute("update t set b = 1")
        thread.start()
        operations = wait_until(lambda: futex_operations(server), 10, "a session waits for the row")
        flags = {operation & FUTEX_PRIVATE_FLAG for operation in operations}
        assert flags == {FUTEX_PRIVATE_FLAG if private == "on" else 0}
    except BaseException:
        server.kill_everything()
        raise
    # The supervisor, another process, ends it: long before the grace is over.
    server.stop()
    thread.join(timeout=10)
    holder.close()
    assert len(errors) == 1 and "administrator command" in str(errors[0])


@pytest.mark.parametrize("kind", ["fork", "fork-exec", "prefork", "hybrid", "fdpass", "pool-tx"])
def test_private_futexes_are_refused_where_sessions_have_several_processes(binary, kind):
    assert "do not all run in one process" in refusal(binary, kind, "private_futexes=on")


# --- pages ---

def huge_kilobytes(pid, segment):
    total = 0
    here = False
    for line in proc(pid, "smaps").splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            here = segment in line
        elif here and line.startswith("ShmemPmdMapped:"):
            total += int(line.split()[1])
    return total


@pytest.mark.parametrize("kind", ["fork", "fork-exec", "thread"])
def test_huge_pages_back_what_backends_map(serve, kind):
    server = serve(kind, huge_pages="try", shared_buffers="16MB")
    if server.query("show huge_pages_status") == [("off",)]:
        assert "going on with ordinary pages" in server.stderr()
        pytest.skip("this machine has no huge pages for shared memory")
    with server.connect() as connection:
        assert connection.execute("show huge_pages").fetchone() == ("try",)
        connection.execute("create table t (a int)")
        connection.execute("insert into t select g from generate_series(1, 10000) g")
        assert max(huge_kilobytes(pid, server.segment.name) for pid in server.children()) >= 2048


def test_ordinary_pages_are_the_default(serve):
    server = serve("fork", shared_buffers="16MB")
    with server.connect() as connection:
        assert connection.execute("show huge_pages_status").fetchone() == ("off",)
        assert all(huge_kilobytes(pid, server.segment.name) == 0 for pid in pids(server))


def test_huge_pages_that_are_not_reserved_are_named_with_the_alternative(binary):
    free = int(re.search(r"HugePages_Free:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())[1])
    if free * 2 > 4096:
        pytest.skip("this machine has huge pages reserved")
    said = refusal(binary, "fork", "huge_pages=on", "segment_backing=anonymous",
                   "shared_buffers=4GB")
    assert "vm.nr_hugepages" in said and "segment_backing=named" in said


# --- memory ---

def malloc_arenas(pid):
    """Arenas beside the main one: glibc reserves 64 MB for each, at a multiple of that."""
    size = 64 << 20
    spans = [tuple(int(end, 16) for end in line.split()[0].split("-"))
             for line in proc(pid, "maps").splitlines() if len(line.split()) == 5]
    starts = {begin for begin, _ in spans if begin % size == 0}
    ends = {end for _, end in spans}
    return len([begin for begin in starts if begin + size in ends])


@pytest.mark.parametrize("arenas,least,most", [(1, 0, 0), (3, 1, 2), (0, 3, 1000)])
def test_malloc_arenas_bound_what_threads_reserve(serve, arenas, least, most):
    server = serve("thread", malloc_arenas=arenas, max_connections=50)
    connections = [server.connect() for _ in range(30)]
    for connection in connections:
        connection.execute("select 1")
    count = max(malloc_arenas(pid) for pid in server.children())
    for connection in connections:
        connection.close()
    assert least <= count <= most


@pytest.mark.parametrize("kind", ["fork", "fork-exec", "thread"])
@pytest.mark.parametrize("allocator", ALLOCATORS)
def test_the_allocator_is_loaded_or_its_package_named(binary, allocator, kind):
    library, package = ALLOCATORS[allocator]
    known = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True).stdout
    if library not in known:
        said = refusal(binary, kind, f"allocator={allocator}")
        assert library in said and package in said and "allocator=glibc" in said
        return
    with Connbench(binary, kind, allocator=allocator) as server:
        with server.connect() as connection:
            assert connection.execute("select sum(g) from generate_series(1, 1000) g").fetchone()
            for pid in pids(server):
                assert f"/{library}" in proc(pid, "maps")


def test_arenas_of_another_allocator_are_refused(binary):
    assert "malloc_arenas" in refusal(binary, "thread", "allocator=jemalloc", "malloc_arenas=2")


def test_stacks_have_the_size_that_was_set(serve):
    server = serve("thread", thread_stack_size="768kB")
    with server.connect():
        sizes = [int(end, 16) - int(begin, 16) for begin, end in re.findall(
            r"^([0-9a-f]+)-([0-9a-f]+) rw-p 00000000 00:00 0 *$",
            proc(server.children()[0], "maps"), re.M)]
    assert any(size in (768 << 10, (768 << 10) - 4096) for size in sizes), sizes


def test_a_session_touches_what_it_is_to_warm(serve):
    def private_kb(warmup):
        server = serve("fork", session_warmup_kb=warmup)
        with server.connect() as connection:
            connection.execute("select 1")
            return max(int(kilobytes) for pid in server.children() for kilobytes in
                       re.findall(r"^Pss_Anon:\s+(\d+)", proc(pid, "smaps_rollup"), re.M))

    assert 4000 <= private_kb(4096) - private_kb(0) <= 4400


# --- accepting ---

def listening_inodes(port):
    rows = [line.split() for line in proc("self", "net/tcp").splitlines()[1:]]
    return {row[9] for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")}


def sockets_of(pid):
    found = {}
    for fd in listed(pid, "fd"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            match = re.match(r"socket:\[(\d+)\]", os.readlink(f"/proc/{pid}/fd/{fd}"))
            if match:
                found[match[1]] = int(fd)
    return found


def epoll_events_of_listeners(server):
    """With which events the server's processes wait at listening sockets."""
    inodes = listening_inodes(server.port)
    events = []
    for pid in server.children():
        listeners = {fd for inode, fd in sockets_of(pid).items() if inode in inodes}
        for name in listed(pid, "fdinfo"):
            info = proc(pid, f"fdinfo/{name}")
            for fd, mask in re.findall(r"^tfd:\s*(\d+)\s+events:\s*([0-9a-f]+)", info, re.M):
                if int(fd) in listeners:
                    events.append(int(mask, 16))
    return events


TASKS = {"prefork": {"prefork_processes": 3}, "hybrid": {"hybrid_processes": 3},
         "reactor": {"reactor_loops": 3}}


@pytest.mark.parametrize("kind", TASKS)
@pytest.mark.parametrize("strategy", ["shared", "exclusive", "reuseport", "default"])
def test_clients_are_shared_out_as_set(binary, kind, strategy):
    with Connbench(binary, kind, accept_strategy=strategy, **TASKS[kind]) as server:
        for _ in range(20):
            assert server.query("select 1") == [(1,)]
        own = "reuseport" if kind == "reactor" else "exclusive"
        effective = own if strategy == "default" else strategy
        assert len(listening_inodes(server.port)) == (3 if effective == "reuseport" else 1)

        def all_wait():
            events = epoll_events_of_listeners(server)
            return events if len(events) == 3 else None

        events = wait_until(all_wait, 10, "all three wait for clients")
        exclusive = {bool(mask & EPOLLEXCLUSIVE) for mask in events}
        assert exclusive == {effective != "shared"}


def test_a_replaced_process_takes_over_its_socket(binary):
    with Connbench(binary, "prefork", accept_strategy="reuseport", prefork_processes=3,
                   prefork_max_sessions=1) as server:
        for _ in range(20):
            assert server.query("select 1") == [(1,)]

        def each_has_one():
            inodes = listening_inodes(server.port)
            held = [inodes & set(sockets_of(pid)) for pid in server.children()]
            return sorted(map(len, held)) == [1, 1, 1] and len(set.union(*held)) == 3

        wait_until(each_has_one, 10, "each process has a socket of its own")


@pytest.mark.parametrize("kind", ["fork", "thread", "fdpass", "pool-tx"])
def test_a_strategy_for_one_acceptor_is_refused(binary, kind):
    assert "one task accepts" in refusal(binary, kind, "accept_strategy=reuseport")


def test_the_listen_queue_has_the_length_that_was_set(serve):
    server = serve("fork", listen_backlog=7)
    libc = ctypes.CDLL(None, use_errno=True)
    inode, = listening_inodes(server.port)
    pidfd = os.pidfd_open(server.process.pid)
    pidfd_getfd = 438
    fd = libc.syscall(pidfd_getfd, pidfd, sockets_of(server.process.pid)[inode], 0)
    os.close(pidfd)
    assert fd >= 0, os.strerror(ctypes.get_errno())
    with socket.socket(fileno=fd) as listener:
        info = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    # Of a listening socket tcpi_sacked is the longest its queue may be.
    assert int.from_bytes(info[28:32], "little") == 7


# --- CPUs ---

@pytest.mark.parametrize("kind", ["prefork", "thread-pool"])
def test_a_server_stays_on_its_cpus(binary, kind):
    first = min(os.sched_getaffinity(0))
    with Connbench(binary, kind, cpu_affinity=first) as server:
        assert server.query("select 1") == [(1,)]
        allowed = [cpus for pid in pids(server) for task in listed(pid, "task") for cpus in
                   re.findall(r"Cpus_allowed_list:\s+(\S+)", proc(pid, f"task/{task}/status"))]
        assert len(allowed) >= 2 and set(allowed) == {str(first)}


def test_cpus_that_are_not_there_are_named(binary):
    said = refusal(binary, "fork", "cpu_affinity=0-1023")
    assert "0-1023" in said and "may use" in said
    assert "no list of CPUs" in refusal(binary, "fork", "cpu_affinity=first")


# --- limits of the machine ---

def test_the_cpu_time_of_a_connection_is_told_by_phase(binary, tmp_path):
    subprocess.run([str(binary), "run", "churn", "--models", "thread-cached,fork,pool-tx",
                    "--duration", "500ms", "--repetitions", "1", "-c", "4",
                    "--waive", MACHINE_CHECKS,
                    "--set", "shared_buffers=32MB", "--set", "connection_phase_cpu=on",
                    "-o", str(tmp_path / "run")], check=True, timeout=CLIENT_TIMEOUT_S,
                   capture_output=True)

    def rows(file):
        with open(tmp_path / "run" / file, newline="") as lines:
            return list(csv.DictReader(lines))

    whole = {row["model"]: float(row["server_cpu_us_per_connect"]) for row in rows("trials.csv")}
    phases = {model: {row["phase"]: float(row["mean_us"]) for row in rows("phases.csv")
                      if row["side"] == "cpu" and row["model"] == model} for model in whole}
    chain = {"dispatch", "start", "startup_packet", "authentication", "session", "served"}
    assert set(phases["thread-cached"]) == set(phases["fork"]) == chain
    # By the clocks of threads at their stamps, and by the CPU clocks of processes around the
    # window; the end of a process is in the second alone.
    assert sum(phases["thread-cached"].values()) == pytest.approx(whole["thread-cached"], rel=0.1)
    assert 0.3 * whole["fork"] < sum(phases["fork"].values()) < 1.05 * whole["fork"]
    assert phases["fork"]["start"] > phases["fork"]["session"], "a fork costs more than a session"
    assert "served" not in phases["pool-tx"], "one thread serves all clients"


def test_more_workers_than_the_machine_has_room_for_are_refused(binary):
    said = refusal(binary, "prefork", "prefork_processes=4194304")
    assert "4194320 processes and threads" in said and "/proc/sys/kernel/" in said

    def few_files():
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))

    said = refusal(binary, "thread", "max_connections=500", before=few_files)
    assert "RLIMIT_NOFILE" in said and "is 200" in said
    said = refusal(binary, "prefork", "max_connections=300", "accept_strategy=reuseport",
                   before=few_files)
    assert "RLIMIT_NOFILE" in said
    assert "outside the valid range" in refusal(binary, "prefork", "prefork_processes=-1")
    assert "outside the valid range" in refusal(binary, "reactor", "reactor_loops=5000")


# --- the way of the load, in suites ---

def test_a_suite_varies_transport_and_the_clients_cpus(binary, tmp_path):
    last = max(os.sched_getaffinity(0))
    suite = tmp_path / "way.toml"
    suite.write_text(f'''name = "way"
description = "the load's way to the server"
repetitions = 1
[[experiment]]
workload = "connect-only"
connections = [2]
duration = "1s"
warmup = "100ms"
models = ["thread"]
[experiment.set]
transport = ["tcp", "unix"]
client_cpu_affinity = ["{last}"]
''')
    run = subprocess.Popen([str(binary), "run", str(suite), "-o", str(tmp_path / "run"), "--waive",
                            MACHINE_CHECKS], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           text=True)
    hosts, cpus = set(), set()
    while run.poll() is None:
        for child in proc(run.pid, f"task/{run.pid}/children").split():
            words = proc(child, "cmdline").split("\0")
            if words[1:2] == ["load"]:
                hosts.add("unix" if words[words.index("-h") + 1].startswith("/") else "tcp")
                cpus.update(re.findall(r"Cpus_allowed_list:\s+(\S+)", proc(child, "status")))
        time.sleep(0.05)
    output = run.communicate(timeout=CLIENT_TIMEOUT_S)[0]
    assert run.returncode == 0, output
    assert hosts == {"tcp", "unix"}
    assert str(last) in cpus
    trials = (tmp_path / "run/trials.csv").read_text()
    for value in ("tcp", "unix"):
        assert f"client_cpu_affinity:{last}/transport:{value}" in trials
