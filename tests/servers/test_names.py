"""Names of hosts and of the guest: /etc/hosts, /etc/resolv.conf, DHCP."""
from tests.lib.guest import Guest
from tests.servers.command import pollux
from tests.servers.server import Server

NAMES = """\
import os, socket, struct, threading

def answer(sock):
    while True:
        query, peer = sock.recvfrom(512)
        end = query.index(0, 12) + 5
        kind = struct.unpack(">H", query[end - 4:end - 2])[0]
        rdata = {1: bytes([10, 9, 8, 7]), 28: bytes(15) + bytes([9])}[kind]
        sock.sendto(query[:2] + struct.pack(">HHHHH", 0x8580, 1, 1, 0, 0) +
                    query[12:end] + struct.pack(">HHHIH", 0xc00c, kind, 1, 60,
                                                len(rdata)) + rdata, peer)

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("127.0.0.1", 53))
threading.Thread(target=answer, args=(sock,), daemon=True).start()

def look_up(name):
    return sorted({a[4][0] for a in socket.getaddrinfo(name, 80)})

print(socket.gethostname(), os.uname().nodename, look_up("localhost"),
      look_up(socket.gethostname()), look_up("some.example"))
print(open("/etc/resolv.conf").read())
"""


def test_names(tmp_path):
    """glibc's getaddrinfo() by /etc/hosts, and by the server that ip= names
    (here in the program itself)."""
    (tmp_path / "names.py").write_text(NAMES)
    with Server("/usr/bin/python3", "/names.py", port=80, options=(
            "-f", f"{tmp_path}/names.py:/names.py", "--kernel-arg",
            "ip=10.0.2.15::10.0.2.2:255.255.255.0:box:eth0:off:127.0.0.1")
            ) as server:
        server.wait_console(r"^box box \['127.0.0.1', '::1'\] \['127.0.1.1'\] "
                            r"\['10.9.8.7', '::9'\]")
        server.wait_console("^nameserver 127.0.0.1$")


DHCP = """\
import socket, time
while socket.gethostname() != "dhcpbox":
    time.sleep(0.01)
print(socket.gethostname(), socket.gethostbyname("dhcpbox"))
for name in "hosts", "hostname", "resolv.conf":
    print(open("/etc/" + name).read())
print("--- end")
"""


def test_names_by_dhcp(tmp_path):
    (tmp_path / "dhcp.py").write_text(DHCP)
    image = f"{tmp_path}/app.elf"
    code, out = pollux("build", "-o", image, "-f",
                       f"{tmp_path}/dhcp.py:/dhcp.py", "/usr/bin/python3",
                       "/dhcp.py")
    assert code == 0, out
    net = ["-netdev", "user,id=n0,hostname=dhcpbox,domainname=lab.example,"
           "dns=10.0.2.99", "-device", "virtio-net-device,netdev=n0"]
    with Guest(machine="microvm", kernel=image, initrd=None, mem="256",
               net=net) as guest:
        guest.wait_console("^--- end")
        for line in ("dhcpbox 127.0.1.1", "127.0.1.1\tdhcpbox", "dhcpbox",
                     "domain lab.example", "nameserver 10.0.2.99"):
            assert f"\n{line}\n" in "\n" + guest.console, guest.console
        assert guest.wait_exit() == 0
