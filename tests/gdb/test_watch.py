"""make watch: the page in a headless browser, in each of its states, and an
echo on its way over the ready list."""
import contextlib
import json
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from tests.gdb import gdb_session, watched
from tests.lib.browser import Browser
from tests.lib.guest import free_port
from tools.watch import guest as watch_guest

MANY = 1000
REFRESH_MS = 100
STEPS = 60          # two packets of others on the way, and more
# jmp . : what an interrupt handler must not do.
LOOP = "set var *(unsigned short *)&virtnet_interrupt = 0xfeeb"
READY = "document.querySelector('[data-ready=\"{}\"]')"


@pytest.fixture(scope="module")
def browser():
    with Browser() as page:
        yield page
        assert not page.errors, page.errors


@pytest.fixture(scope="module")
def live(browser):
    """A page on a guest with three connections; (browser, guest, clients)."""
    with watched.folder() as folder, \
         watched.shared_guest(folder) as (guest, ram, _), \
         watched.page_server(ram) as url:
        clients = [watched.connect(guest.port) for _ in range(3)]
        browser.open(f"{url}?hop=60")
        state(browser, "running")
        yield browser, guest, clients
        for s in clients:
            s.close()


def state(browser, name, seconds=15):
    browser.wait(f"document.body.dataset.state == '{name}' && "
                 f"pollux.s.state == '{name}'", seconds)


def texts(browser, selector):
    return browser.value(
        f"[...document.querySelectorAll({json.dumps(selector)})]"
        ".map((e) => e.textContent)")


def step(browser):
    """Presses it; the row where the guest then stands."""
    stops = browser.value("pollux.s.step.stops || 0")
    browser.click("#step")
    browser.wait(f"pollux.s.step.stops > {stops}")
    return browser.value("pollux.s.step.row")


def test_no_guest(browser):
    with watched.folder() as folder, \
         watched.page_server(f"{folder}/none") as url:
        browser.open(url)
        state(browser, "none")
        assert "make run ARGS=trace=all" in browser.value(
            "document.getElementById('empty').innerText")


def test_every_kind_of_object_is_drawn(live):
    browser, _, _ = live
    browser.wait("pollux.s.conns.length == 4")
    tags = browser.value(
        "[...new Set([...document.querySelectorAll('#picture [data-tag]')]"
        ".map((e) => e.dataset.tag))]")
    assert set(tags) == {"task", "file", "socket", "tcp_sock",
                         "wait_queue_head", "epitem", "eventpoll"}
    boxes = " ".join(texts(browser, "#picture .box"))
    assert boxes.count("ESTABLISHED") == 3 and boxes.count("LISTEN") == 1
    # The tree has each watch, the queue of epoll_wait its sleeper.
    assert sorted(browser.value(
        "[...document.querySelectorAll('#picture circle')].map("
        "(c) => Number(c.parentNode.dataset.fd))")) == [3, 5, 6, 7]
    assert texts(browser, "[data-sleeper]") == ["task 1 echo"]


def test_arrows_are_pointers(live):
    """Pointers that were read apart from one another lead to each other."""
    browser, _, _ = live
    picture = json.loads(browser.value("JSON.stringify(pollux.s)"))
    for conn in picture["conns"]:
        item = picture["items"][str(conn["fd"])]
        assert item["file"] == conn["file"]
        assert item["ep"] == picture["epolls"][0]["addr"]
        # The entry on the socket's queue is the item's own.
        assert conn["entries"][0]["addr"] == item["addr"]


def test_an_object_opens(live):
    browser, _, _ = live
    browser.click("[data-tag=epitem][data-fd='5']")
    browser.wait("!document.getElementById('inspector').hidden")
    rows = dict(re.findall(r"^(\S+)\t(\S+)$", browser.value(
        "document.querySelector('#inspector table').innerText"), re.M))
    assert rows["ffd.fd"] == "5" and rows["pwqlist.func"] == \
        "ep_poll_callback", rows
    browser.click("#inspector [data-tag=eventpoll]")
    browser.wait("document.querySelector('#inspector h2').innerText == "
                 "'struct eventpoll'")
    browser.click("#inspector .close")


def test_the_last_packet_is_replayed(live):
    """An echo as it happens: the page shows its item on the ready list, and
    then no more; the road goes along, and has times."""
    browser, _, clients = live
    before = browser.value("pollux.s.road.serial")
    watched.echo(clients[1], b"look")
    browser.wait(f"pollux.s.road.serial > {before}")
    row = browser.wait("document.querySelector('[data-replayed=\"6\"]') && "
                       "document.querySelector('#road [data-here=true]')"
                       ".dataset.row")
    assert row in ("8", "9", "10")
    browser.wait("!document.querySelector('[data-replayed]')")
    rows = browser.value("pollux.s.road.hops.map((h) => h.row)")
    assert set(range(1, 12)) <= set(rows), rows


def whole_road(rows):
    """All rows in their order; packets of before may be among them."""
    seen = iter(rows)
    return all(row in seen for row in range(1, 12))


def test_step_by_step(live):
    """Stopped at each row: the item is on the list in the guest's memory when
    the task is woken, and gone once epoll_wait is back for more."""
    browser, _, clients = live
    browser.click("#pause")
    state(browser, "stopped")
    clients[2].sendall(b"step")
    rows, lists = [], {}
    while not whole_road(rows):
        assert len(rows) < STEPS, rows
        rows.append(step(browser))
        lists[rows[-1]] = texts(browser, "[data-ready]")
    assert lists[8] == [] and lists[9] == lists[10] == ["fd 7"], lists
    browser.click("#run")
    state(browser, "running")
    assert clients[2].recv(4) == b"step"
    browser.wait("!document.querySelector('[data-ready]') && "
                 "document.querySelector('[data-sleeper]')")


def test_the_echo_button(live):
    browser, _, _ = live
    before = browser.value("pollux.s.echo.answers")
    browser.click("#echo")
    browser.wait(f"pollux.s.echo.answers == {before + 1}")
    browser.wait("pollux.s.states.ESTABLISHED == 4")


@pytest.mark.limit(180)
def test_a_thousand_connections(browser):
    """Counted by state, found by number, pinned; each look is quick."""
    with watched.folder() as folder, \
         watched.shared_guest(folder) as (guest, ram, _), \
         watched.page_server(ram) as url:
        clients = [watched.connect(guest.port) for _ in range(MANY)]
        browser.open(url)
        browser.wait(f"pollux.s.states.ESTABLISHED == {MANY}")
        drawn = browser.value("pollux.s.conns.length - 1")
        assert 3 <= drawn <= 10
        assert browser.value("document.getElementById('pile').dataset.count"
                             ) == str(MANY - drawn)
        assert "1,001 watches" in browser.value(
            "document.getElementById('picture').textContent")
        browser.value("document.getElementById('search').value = '500'")
        browser.wait("document.querySelector('[data-pin=\"500\"]')")
        browser.click("[data-pin='500']")
        browser.value("document.getElementById('search').value = ''")
        for s in clients[-9:]:
            watched.echo(s, b"later")
        browser.wait("pollux.s.found === null && "
                     "pollux.s.conns.some((c) => c.fd == 500)")
        first = browser.value("pollux.refreshes")
        took = [browser.value(f"new Promise((done) => {{ const look = () => "
                              f"pollux.refreshes > {first + n} ? "
                              "done(pollux.took) : setTimeout(look, 5); "
                              "look() })") for n in range(9)]
        for s in clients:
            s.close()
    assert sorted(took)[len(took) // 2] < REFRESH_MS, took


@contextlib.contextmanager
def damaged_guest(damage, request):
    """(guest, page's address) with a connection on which @request was sent
    after @damage, which is given gdb's socket."""
    with watched.folder() as folder, \
         watched.shared_guest(folder) as (guest, ram, monitor), \
         watched.page_server(ram) as url, \
         watched.connect(guest.port) as s:
        sock = f"{folder}/gdb"
        monitor.connect()
        monitor.human(f"gdbserver unix:{sock},server=on,wait=off")
        monitor.close()
        damage(sock)
        s.sendall(request)
        yield guest, url


def never_ending_interrupt(sock):
    gdb_session.run(sock, [LOOP, "detach"])


def no_eventpoll(sock):
    """The item of the connection says that none is its own."""
    item = re.search(r"fd 5 .* epitem (0x\w+)", gdb_session.run(
        sock, ["px-epoll 4"])["px-epoll 4"])[1]
    gdb_session.run(sock, [f"set var ((struct epitem *){item})->ep = 0",
                           "detach"])


def test_a_hang(browser):
    """The interrupt handler does not end: seen from outside all the same."""
    with damaged_guest(never_ending_interrupt, b"never") as (_, url):
        browser.open(url)
        state(browser, "hung")
        why = browser.value("pollux.s.why")
        assert "virtnet_interrupt" in why, why
        assert "ESTABLISHED" in browser.value(
            "document.getElementById('picture').textContent")


def test_a_crash(browser):
    """The memory is drawn though QEMU is gone, and who had called what."""
    with damaged_guest(no_eventpoll, b"the end") as (guest, url):
        guest.process.wait(10)
        browser.open(url)
        state(browser, "crashed")
        assert "panic" in browser.value("pollux.s.why")
        story = browser.value("document.getElementById('story').innerText")
        assert re.search(r"stopped in ep_poll_callback, called by \w*wake_up"
                         r", called by sock_def_readable", story), story
        log = texts(browser, "#log pre")[0]
        assert log.index("sock_def_readable") < log.index("rip ffff"), log
        # The request was on its way: it still is.
        assert browser.value("pollux.s.conns[1].state") == "ESTABLISHED"


def test_a_guest_that_ended(browser):
    with watched.folder() as folder, \
         watched.shared_guest(folder) as (guest, ram, _), \
         watched.page_server(ram) as url:
        guest.kill()
        browser.open(url)
        state(browser, "ended")


def test_make_watch_starts_a_guest():
    """Nothing runs: it brings its own, and takes it along when it ends."""
    with watched.folder() as folder:
        ram, port = f"{folder}/ram", free_port()
        with subprocess.Popen(
                ["/usr/bin/python3", "-m", "tools.watch", "--ram", ram,
                 "--http", "0", "--start", "tools/qemu.py", "--port",
                 str(port), "--qmp", f"{folder}/qmp", "--ram", ram],
                stdout=subprocess.PIPE, text=True) as watch:
            url = re.search(r"http://\S+", watch.stdout.readline() +
                            watch.stdout.readline())[0]
            end = time.monotonic() + 15
            told = {}
            while told.get("states") != {"LISTEN": 1}:
                assert time.monotonic() < end, told
                time.sleep(0.05)
                with urllib.request.urlopen(f"{url}state") as reply:
                    told = json.load(reply)
            with open(f"{ram}.json", encoding="utf-8") as f:
                pid = json.load(f)["pid"]
            watch.send_signal(signal.SIGINT)
            watch.wait(10)
    assert not watch_guest.alive(pid)


def test_without_browser_rights():
    """Only pages of this server may ask it."""
    with watched.folder() as folder, \
         watched.page_server(f"{folder}/none") as url:
        asked = urllib.request.Request(
            f"{url}state", headers={"Host": "evil.example"})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(asked)
        assert refused.value.code == 403
