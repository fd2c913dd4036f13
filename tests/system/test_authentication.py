"""Passwords, SCRAM and TLS with stock clients on our server, and our load generator on a stock one:
every method with and without encryption, refusals word for word as PostgreSQL's."""
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import psycopg
import pytest

from servers import (CLIENT_TIMEOUT_S, START_TIMEOUT_S, STOP_TIMEOUT_S, Connbench, PgBouncer,
                     Postgres, wait_until)

PASSWORD = "open \"sesame\" 'ß"
SUPER_PASSWORD = "of the superuser"
RULES = """
# TYPE     DATABASE  USER       ADDRESS        METHOD
host       all       postgres   127.0.0.1/32   scram-sha-256
host       all       plain      127.0.0.1/32   password
hostssl    all       encrypted  127.0.0.1/32   scram-sha-256
hostnossl  all       naked      127.0.0.1/32   scram-sha-256
host       closed    all        127.0.0.1/32   reject
host       all       scram,locked,nobody,nopassword,changed 127.0.0.1 255.255.255.255 scram-sha-256
host       open      all        127.0.0.1/32   trust
"""


@pytest.fixture(scope="session")
def secrets():
    """A folder with a certificate, its key, a password file and rules, which postgres can read."""
    with tempfile.TemporaryDirectory(prefix="connbench-test-tls.") as folder:
        path = pathlib.Path(folder)
        subprocess.run(["openssl", "req", "-new", "-x509", "-nodes", "-newkey", "rsa:2048", "-days",
                        "2", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", path / "server.key",
                        "-out", path / "server.crt"], check=True, capture_output=True)
        os.chmod(path / "server.key", 0o600)
        (path / "pwfile").write_text(SUPER_PASSWORD + "\n")
        (path / "pg_hba.conf").write_text(RULES)
        yield path


@pytest.fixture(scope="module")
def guarded(binary, model, secrets):
    """A server with the rules above and one user for each."""
    with Connbench(binary, model, hba_file=secrets / "pg_hba.conf", pwfile=secrets / "pwfile",
                   ssl="on", ssl_cert_file=secrets / "server.crt",
                   ssl_key_file=secrets / "server.key") as server:
        with server.connect(user="postgres", password=SUPER_PASSWORD) as boss:
            for user in ("plain", "encrypted", "naked", "scram", "changed"):
                boss.execute(psycopg.sql.SQL("create user {} password {}").format(
                    psycopg.sql.Identifier(user), PASSWORD))
            boss.execute(psycopg.sql.SQL("create role locked password {}").format(PASSWORD))
            boss.execute("create user nopassword")
        yield server


def refusal(server, **parameters):
    with pytest.raises(psycopg.OperationalError) as caught:
        server.connect(**parameters)
    return str(caught.value)


@pytest.mark.parametrize("sslmode", ["disable", "require"])
@pytest.mark.parametrize("user", ["plain", "encrypted", "naked", "scram"])
def test_each_method_lets_in_who_knows_the_password(guarded, user, sslmode):
    wrong_transport = {"encrypted": "disable", "naked": "require"}.get(user) == sslmode
    if wrong_transport:
        encryption = "SSL encryption" if sslmode == "require" else "no encryption"
        assert (f'no pg_hba.conf entry for host "127.0.0.1", user "{user}", database "shop", '
                f"{encryption}") in refusal(guarded, user=user, password=PASSWORD, sslmode=sslmode)
        return
    with guarded.connect(user=user, password=PASSWORD, sslmode=sslmode) as connection:
        assert connection.execute("select current_user").fetchone() == (user,)
        assert connection.pgconn.used_password
        assert connection.pgconn.ssl_in_use == (sslmode == "require")
        # More than one TLS record, in both directions.
        text = "x" * 100_000
        assert connection.execute("select %s::text", (text,)).fetchone() == (text,)
    assert (f'password authentication failed for user "{user}"' in
            refusal(guarded, user=user, password="wrong", sslmode=sslmode))


def test_refusals_are_postgresqls(guarded):
    for user in ("nobody", "nopassword"):  # a name that does not exist is not told apart
        assert (f'password authentication failed for user "{user}"' in
                refusal(guarded, user=user, password=PASSWORD, sslmode="disable"))
    assert ('role "locked" is not permitted to log in' in
            refusal(guarded, user="locked", password=PASSWORD, sslmode="disable"))
    assert ('pg_hba.conf rejects connection for host "127.0.0.1", user "anybody", database '
            '"closed", no encryption' in
            refusal(guarded, user="anybody", dbname="closed", sslmode="disable"))
    assert "no password supplied" in refusal(guarded, user="scram", sslmode="disable")
    with guarded.connect(user="anybody", dbname="open", sslmode="disable") as connection:
        assert connection.execute("show is_superuser").fetchone() == ("off",)
    with guarded.connect(user="postgres", password=SUPER_PASSWORD) as connection:
        assert connection.execute("show is_superuser").fetchone() == ("on",)


def test_channel_binding_and_certificates(guarded, secrets):
    options = {"user": "scram", "password": PASSWORD, "channel_binding": "require"}
    with guarded.connect(sslmode="verify-full", sslrootcert=secrets / "server.crt",
                         **options) as connection:
        assert connection.pgconn.ssl_in_use
    assert "channel binding" in refusal(guarded, sslmode="disable", **options)
    assert "channel binding" in refusal(guarded, sslmode="require", **{**options, "user": "plain"})


def test_psql_and_pgbench_over_tls(guarded, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    monkeypatch.setenv("PGSSLMODE", "require")
    monkeypatch.setattr(guarded, "user", "scram")
    assert "SSL connection (protocol: TLSv1.3" in guarded.psql("\\conninfo").stdout
    guarded.pgbench("-i", "-q", "-s", "1")
    result = guarded.pgbench("-n", "-S", "-C", "-c", 4, "-t", 20)
    assert "number of failed transactions: 0 " in result.stdout
    result = guarded.pgbench("-n", "-M", "prepared", "-c", 4, "-t", 50)
    assert "number of failed transactions: 0 " in result.stdout


def test_passwords_change_for_the_next_connection(guarded):
    with guarded.connect(user="changed", password=PASSWORD) as connection:
        connection.execute("alter role current_user password 'next'")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("alter role scram password 'mine'")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select rolpassword from pg_authid")
    assert "password authentication failed" in refusal(guarded, user="changed", password=PASSWORD)
    guarded.connect(user="changed", password="next").close()
    with guarded.connect(user="postgres", password=SUPER_PASSWORD) as boss:
        stored = boss.execute("select rolpassword from pg_authid where rolname = 'changed'"
                              ).fetchone()[0]
        assert stored.startswith("SCRAM-SHA-256$4096:")
        # libpq makes the same kind of secret itself, so that a password need not travel.
        made = boss.pgconn.encrypt_password(b"third", b"changed", b"scram-sha-256").decode()
        boss.execute(psycopg.sql.SQL("alter user changed password {}").format(made))
    guarded.connect(user="changed", password="third").close()


def test_bytes_behind_ssl_request_are_refused(guarded):
    with guarded.raw() as sock:
        startup = b"\0\3\0\0user\0postgres\0\0"
        sock.sendall(bytes.fromhex("0000000804d2162f") +
                     (len(startup) + 4).to_bytes(4, "big") + startup)
        answer = b""
        while chunk := sock.recv(4096):
            answer += chunk
    assert answer[:1] == b"E" and b"received unencrypted data after SSL request" in answer


def test_a_client_that_stalls_in_the_handshake_is_dropped(binary, model, secrets):
    with Connbench(binary, model, ssl="on", ssl_cert_file=secrets / "server.crt",
                   ssl_key_file=secrets / "server.key",
                   authentication_timeout="1s") as server, server.raw() as sock:
        sock.sendall(bytes.fromhex("0000000804d2162f"))
        assert sock.recv(1) == b"S"
        assert sock.recv(1) == b""  # closed, within the socket's timeout


def test_pgbouncer_passes_scram_on(guarded):
    with PgBouncer(guarded, "session", users={"scram": PASSWORD}) as bouncer:
        bouncer.user = "scram"
        with bouncer.connect(password=PASSWORD) as connection:
            assert connection.execute("select current_user").fetchone() == ("scram",)
        assert "failed" in refusal(bouncer, password="wrong")


# --- Settings and files --------------------------------------------------------------------------


def serve_error(binary, *settings):
    command = [binary, "serve", "-p", "0"]
    for setting in settings:
        command += ["--set", setting]
    result = subprocess.run(command, capture_output=True, text=True, timeout=CLIENT_TIMEOUT_S)
    assert result.returncode == 2, result.stderr
    return result.stderr


def test_wrong_files_are_named(binary, secrets, tmp_path):
    bad = tmp_path / "hba"
    bad.write_text("host all all 127.0.0.1/32 trust\nhost all all 127.0.0.1/40 trust\n")
    assert f"{bad}:2:14: invalid CIDR mask" in serve_error(binary, f"hba_file={bad}")
    assert "ssl_cert_file" in serve_error(binary, "ssl=on")
    key = tmp_path / "key"
    shutil.copy(secrets / "server.key", key)
    key.chmod(0o644)
    assert "has group or world access" in serve_error(
        binary, "ssl=on", f"ssl_cert_file={secrets}/server.crt", f"ssl_key_file={key}")


def test_listens_beyond_loopback_only_where_nobody_is_trusted(binary, tmp_path):
    def serve(rules):
        path = tmp_path / "hba"
        path.write_text(rules)
        return subprocess.Popen([binary, "serve", "-h", "0.0.0.0", "-p", "0", "--set",
                                 f"hba_file={path}"], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)
    refused = serve("host all all all trust\n")
    assert "is \"trust\"" in refused.communicate(timeout=CLIENT_TIMEOUT_S)[1]
    assert refused.returncode == 2
    allowed = serve("host all all 127.0.0.1/32 trust\nhost all all all scram-sha-256\n")
    assert "ready on" in allowed.stdout.readline()
    allowed.send_signal(signal.SIGTERM)
    allowed.communicate(timeout=STOP_TIMEOUT_S)
    assert allowed.returncode == 0


# --- The load generator --------------------------------------------------------------------------


def load(binary, server, environment, *options):
    command = [binary, "load", "steady", "-h", server.host, "-p", str(server.port), "-c", "4",
               "-t", "20", "-U", "scram", *options]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True,
                          text=True, timeout=CLIENT_TIMEOUT_S)


LOAD_CASES = [("disable", "prefer"), ("require", "require"), ("require", "disable"),
              ("verify-full", "prefer")]


def check_load(binary, server, secrets, database):
    for sslmode, binding in LOAD_CASES:
        environment = {"PGPASSWORD": PASSWORD, "PGSSLMODE": sslmode, "PGCHANNELBINDING": binding,
                       "PGSSLROOTCERT": str(secrets / "server.crt")}
        result = load(binary, server, environment, "-d", database)
        assert result.returncode in (0, 3), result.stdout + result.stderr
    wrong = load(binary, server, {"PGPASSWORD": "wrong"}, "-d", database)
    assert wrong.returncode == 2
    assert 'password authentication failed for user "scram"' in wrong.stderr
    none = load(binary, server, {"PGPASSWORD": ""}, "-d", database)
    assert none.returncode == 2 and "PGPASSWORD" in none.stderr


def test_load_generator_on_our_server(binary, guarded, secrets):
    environment = {"PGPASSWORD": PASSWORD}
    assert load(binary, guarded, environment, "-i", "-d", "shop").returncode in (0, 3)
    check_load(binary, guarded, secrets, "shop")


def test_load_generator_on_postgresql(binary, secrets):
    with Postgres() as server:
        data = pathlib.Path(server.folder, "data")
        for name in ("server.key", "server.crt"):
            shutil.copy(secrets / name, data / name)
            if os.geteuid() == 0:
                shutil.chown(data / name, "postgres", "postgres")
        os.chmod(data / "server.key", 0o600)
        with server.connect(user="postgres", dbname="postgres") as boss:
            boss.execute("alter system set ssl = on")
            boss.execute(
                psycopg.sql.SQL("create user scram superuser password {}").format(PASSWORD))
            boss.execute("create database bank")
            (data / "pg_hba.conf").write_text("host all postgres all trust\n"
                                              "host all all all scram-sha-256\n")
            boss.execute("select pg_reload_conf()")

        def encrypts():
            with contextlib.suppress(psycopg.OperationalError):
                server.connect(user="postgres", dbname="postgres", sslmode="require").close()
                return True
            return False
        wait_until(encrypts, START_TIMEOUT_S, "PostgreSQL offers TLS")
        server.run("pgbench", "-i", "-q", "-s", "1", "-U", "postgres", "bank")
        assert load(binary, server, {"PGPASSWORD": PASSWORD},
                    "-i", "-d", "bank").returncode in (0, 3)
        check_load(binary, server, secrets, "bank")


def test_security_is_an_axis_of_a_suite(binary, tmp_path):
    suite = tmp_path / "secure.toml"
    suite.write_text("""
name = "secure"
description = "what authentication and encryption cost"
models = ["thread"]
repetitions = 1

[[experiment]]
workload = "churn"
connections = [2]
duration = "300ms"
warmup = "0s"

[experiment.set]
authentication = ["trust", "password", "scram-sha-256"]
ssl = ["off", "on"]
""")
    result = subprocess.run([binary, "run", suite, "-o", tmp_path / "out", "--no-charts"],
                            capture_output=True, text=True, timeout=CLIENT_TIMEOUT_S)
    trials = (tmp_path / "out" / "trials.csv").read_text()
    for method in ("trust", "password", "scram-sha-256"):
        for ssl in ("off", "on"):
            assert f"authentication={method} ssl={ssl}" in trials, result.stderr
    assert "pwfile" not in trials and "hba_file" not in trials
