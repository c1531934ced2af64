"""Each rule of epoll that some system got wrong has a case of its own in
tests/abi, which docs/linux-abi.md names."""
import glob
import re

# The rules, and the case that is named after each.
ROWS = {
    "EPOLLET loses nothing": "epoll_edge_not_lost_past_maxevents",
    "eventfd and EPOLLET": "eventfd_edges",
    "CTL_MOD arms anew": "epoll_mod_rearms",
    "EPOLLONESHOT": "epoll_oneshot",
    "EPOLLEXCLUSIVE": "epoll_exclusive",
    "EPOLLRDHUP": "epoll_rdhup",
    "HUP and ERR always": "epoll_hup_and_err_unasked",
    "nested epoll": "epoll_nested",
    "loops": "epoll_too_deep",
    "the key is (fd, open file)": "epoll_key_is_fd_and_open_file",
    "errors": "epoll_ctl_errors",
    "descriptor 0": "epoll_poll_fd_0",
    "ctl during a wait": "epoll_ctl_during_wait",
    "fairness past maxevents": "epoll_level_rotates",
    "timeouts": "epoll_timeout",
    "several epolls": "epoll_of_two_sets",
    "epoll_pwait's mask": "signal_pwait_mask",
    "epoll_pwait2": "epoll_pwait2_nanoseconds",
    "CLOEXEC and wrong flags": "epoll_create_errors",
    "one event for in and out": "epoll_one_event_for_in_and_out",
    "EPOLLWAKEUP": "epoll_wakeup_is_accepted",
    "wake order": "epoll_wake_order",
    "busy poll": "epoll_busy_poll",
    "IN means readable": "epoll_in_means_readable",
    "pipes and EPOLLET": "pipe_edges",
}


def test_each_row_has_its_case():
    cases = set()
    for path in glob.glob("tests/abi/*.c"):
        with open(path, encoding="utf-8") as f:
            cases |= set(re.findall(r"^CASE\((\w+)\)", f.read(), re.M))
    with open("docs/linux-abi.md", encoding="utf-8") as f:
        doc = f.read().partition("## epoll")[2]
    assert len(set(ROWS.values())) == len(ROWS)
    for rule, case in ROWS.items():
        assert case in cases, rule
        assert f"`{case}`" in doc, rule
    # And the document names none that is gone.
    named = set(re.findall(r"`((?:epoll|nested|eventfd|signal|pipe)_\w+)`",
                           doc))
    assert named <= cases, named - cases
