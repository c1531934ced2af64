"""Where the instructions go, by hop: the profile by function put
together along the road of a packet. What a function has inlined counts as its
own (the kernel is compiled as a whole); what no hop names is in the last row.
"""
import re

HOPS = (
    ("interrupt in and out", "irq_common|irq_stubs|do_irq|virtnet_interrupt|"
     "do_softirq|run_softirqs|napi_schedule|irq_exit.*|apic_eoi.*"),
    ("poll, frame to skb, fresh buffers", "net_rx_action|virtnet_poll|"
     "poll_done|virtnet_refill|alloc_skb_bulk|kmem_cache_alloc_bulk|"
     "virtqueue_take_buf|run_more_rounds|poll_bulk"),
    ("buffers, in and out", "alloc_skb|kfree_skb|free_odd|cache_pop|kmem_cache_.*|.*_slow|"
     "zone_.*|sock_rfree"),
    ("Ethernet, IP in", "netif_receive_skb|ip_rcv.*"),
    ("TCP demultiplexing", "tcp_v4_rcv|tcp_lookup.*|tcp_v4_do_rcv|sock_put|"
     "add_backlog|checksum_ok|tcp_skb_tuple"),
    ("TCP input", "tcp_rcv_established|tcp_ack|ack_general|tcp_rtt_sample|"
     "tcp_queue_rcv|ack_of_all|tcp_cong_acked|tcp_data_snd_now|tcp_ack_snd_check|"
     "tcp_arm|tcp_cubic.*|cubic_.*"),
    ("wake-up and switch", "sock_def_readable|__wake_up|ep_poll_callback|"
     "ep_autoremove_wake_function|wake_up_process|schedule|__switch.*|"
     "default_wake_function"),
    ("a connection begins", "rcv_slow|tcp_mini_.*|tcp_listener_lookup|"
     "tcp_listen_.*|decode_options|siphash.*|tcp_new_start|send_synack|"
     "tcp_send_reply|encode_.*|finish_request|tcp_request_rcv|make_child|"
     "tcp_sock_clone|sk_alloc|memset|tcp_init_.*|tcp_hash_add|"
     "ip_route_.*|take_options|listener_.*|request_drop|tcp_sync_mss|grow_sndbuf|"
     "tcp_port_(hold|share)|port_(get|count|find)|tcp_keepalive_start|"
     "tcp_cong_init|send_by_own_route"),
    ("accept4", "sys_accept4|do_accept|new_sock|tcp_accept|get_unused_fd.*|take_fd|fd_install|"
     "sock_alloc.*|file_alloc|sock_graft"),
    ("epoll_ctl", "sys_epoll_ctl|ep_ctl_locked|rb_.*|rotate|add_wait_queue|"
     "ep_ptable_queue_proc|ep_insert|ep_find|ep_item_ready|copy_from_user"),
    ("a connection ends", "tcp_rcv_state_process|tcp_data_queue|"
     "tcp_set_state|tcp_release|tcp_send_fin|tcp_done|tcp_unhash|"
     "sys_close|close_fd|file_free|sock_close|sock_release|"
     "eventpoll_release_file|ep_remove.*|ep_unregister_.*|"
     "remove_wait_queue|tcp_port_(release|drop)|tcp_destruct|tcp_purge_tx|"
     "sock_def_wakeup|tcp_timer_stop|fput.*|take_fin|release_fd|"
     "sock_free|close_state"),
    ("epoll_wait", "sys_epoll_.*|do_epoll_wait|ep_send_.*|ep_done_scan|"
     "ep_put_event|sock_poll|tcp_poll|poll_no_room|poll_odd|ep_.*"),
    ("read", "sys_read|sock_read_iter|tcp_recvmsg|copy_to_iter|cleanup_rbuf|"
     "raw_copy_to_user"),
    ("send", "sys_sendto|sockfd_lookup_light|tcp_sendmsg|copy_from_iter|"
     "sock_sendmsg|open_tail"),
    ("the copies themselves", "copy_user|memcpy"),
    ("TCP output", "tcp_write_xmit|send_what_may|send_batch|"
     "tcp_transmit_skb|transmit_general|tcp_select_window|tcp_encode|"
     "csum_pseudo"),
    ("IP out, device, doorbell", "ip_queue_xmit|dev_queue_xmit|xmit_slow|"
     "virtnet_start_xmit|fill_offload|virtnet_kick|vp_notify|spin_lock"),
    ("timers and clock", "ktime_get_ns|rdtsc|clock_.*|mod_timer|del_timer|"
     "enqueue|timer_run|tcp_timer_fired|run_timers|next_.*|tsc_.*"),
    ("system-call entry and exit", "entry_syscall"),
    ("the program and its libc", "user:.*"),
)
REST = "all others"


def hop_of(name):
    for hop, pattern in HOPS:
        if re.fullmatch(pattern, name):
            return hop
    return REST


def by_hop(delta, total):
    """{hop: instructions for each of @total} of {function: (insns, calls)}."""
    found = {hop: 0 for hop, _ in HOPS}
    found[REST] = 0
    for name, (insns, _) in delta.items():
        found[hop_of(name)] += insns / total
    return found


def table(columns):
    """Markdown of {title: by_hop()}."""
    lines = [f"| hop | {' | '.join(columns)} |",
             "|---" + "|---:" * len(columns) + "|"]
    for hop in (*[h for h, _ in HOPS], REST):
        cells = " | ".join(f"{c[hop]:,.0f}" for c in columns.values())
        lines.append(f"| {hop} | {cells} |")
    sums = " | ".join(f"{sum(c.values()):,.0f}" for c in columns.values())
    return "\n".join(lines) + f"\n| together | {sums} |\n"
