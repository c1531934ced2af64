"""redis-server: a session of redis-cli, redis-benchmark, a snapshot."""
import pytest

from tests.servers.server import Server, client

READY = "Ready to accept connections"


@pytest.fixture(scope="module")
def redis():
    with Server("redis-server", "--save", "", port=6379, ready=READY,
                options=("-m", "32M", "-M", "microvm")) as server:
        yield server


def cli(server, *args):
    return client("redis-cli", "-p", server.port, *args).strip()


def test_session(redis):
    assert cli(redis, "ping") == "PONG"
    assert cli(redis, "set", "key", "value") == "OK"
    assert cli(redis, "get", "key") == "value"
    assert cli(redis, "incrby", "n", "41") == "41"
    assert cli(redis, "incr", "n") == "42"
    assert cli(redis, "rpush", "list", "a", "b", "c") == "3"
    assert cli(redis, "lrange", "list", "0", "-1").split() == ["a", "b", "c"]
    assert cli(redis, "hset", "hash", "f", "v") == "1"
    assert cli(redis, "zadd", "z", "1", "one", "2", "two") == "2"
    assert cli(redis, "zrange", "z", "0", "-1").split() == ["one", "two"]
    assert cli(redis, "eval", "return redis.call('get', KEYS[1])", "1",
               "key") == "value"
    assert cli(redis, "set", "short", "x", "px", "20") == "OK"
    assert cli(redis, "get", "nothing") == ""
    assert "redis_version:7" in cli(redis, "info", "server")
    assert cli(redis, "object", "encoding", "n") == "int"


def test_big_value(redis):
    value = "x" * 3_000_000
    with redis.connect() as s:
        s.sendall(b"*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$3000000\r\n" +
                  value.encode() + b"\r\n*2\r\n$6\r\nSTRLEN\r\n$3\r\nbig\r\n")
        data = b""
        while not data.endswith(b":3000000\r\n"):
            more = s.recv(100)
            assert more, data
            data += more
    assert cli(redis, "getrange", "big", "2999998", "-1") == "xx"


@pytest.mark.limit(300)
@pytest.mark.parametrize("pipeline", [1, 16])
def test_benchmark(redis, pipeline):
    """QEMU listens with a backlog of one: of many calls at once this machine
    leaves some aside, until their senders try again, up to a minute. 50 come
    over a TAP (bench/servers.py)."""
    out = client("redis-benchmark", "-p", redis.port, "-t", "set,get", "-c",
                 8, "-n", 1000 * pipeline, "-P", pipeline, "--csv",
                 seconds=150)
    assert '"GET"' in out and '"SET"' in out


def test_no_process_for_a_snapshot(redis):
    """fork() answers as on a Linux that has no process left; redis says so
    and goes on."""
    assert "fork: Resource temporarily unavailable" in cli(redis, "bgsave") \
        or redis.wait_console("fork: Resource temporarily unavailable")
    assert cli(redis, "ping") == "PONG"
    assert cli(redis, "config", "set", "stop-writes-on-bgsave-error",
               "no") == "OK"
    assert cli(redis, "set", "still", "here") == "OK"
    # In the foreground it works.
    assert cli(redis, "save") == "OK"
    assert cli(redis, "lastsave").isdigit()
    assert redis.wait_console("DB saved on disk")


def test_answers_in_24_mebibytes():
    with Server("redis-server", "--save", "", port=6379, ready=READY,
                options=("-m", "24M", "-M", "microvm")) as server:
        assert cli(server, "ping") == "PONG"
