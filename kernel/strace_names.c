/*
 * Names that strace(1) prints: numbers of Linux's interface on x86-64, from
 * its manual pages. Only a kernel that was told strace=1 reads them.
 */
#include "kernel/strace_names.h"

#include "kernel/errno.h"
#include "kernel/names.h"
#include "kernel/syscall_nr.h"

const char strace_open_flags[] __packed_names =
	"0x40 O_CREAT\0"
	"0x80 O_EXCL\0"
	"0x100 O_NOCTTY\0"
	"0x200 O_TRUNC\0"
	"0x400 O_APPEND\0"
	"0x800 O_NONBLOCK\0"
	"0x2000 O_ASYNC\0"
	"0x8000 O_LARGEFILE\0"
	"0x10000 O_DIRECTORY\0"
	"0x20000 O_NOFOLLOW\0"
	"0x80000 O_CLOEXEC\0"
	"0x200000 O_PATH\0";

const char strace_families[] __packed_names =
	"0x0 AF_UNSPEC\0"
	"0x1 AF_UNIX\0"
	"0x2 AF_INET\0"
	"0xa AF_INET6\0"
	"0x10 AF_NETLINK\0"
	"0x11 AF_PACKET\0";

const char strace_sock_types[] __packed_names =
	"0x1 SOCK_STREAM\0"
	"0x2 SOCK_DGRAM\0"
	"0x3 SOCK_RAW\0"
	"0x5 SOCK_SEQPACKET\0";

const char strace_sock_flags[] __packed_names =
	"0x80000 SOCK_CLOEXEC\0"
	"0x800 SOCK_NONBLOCK\0";

const char strace_prot_flags[] __packed_names =
	"0x1 PROT_READ\0"
	"0x2 PROT_WRITE\0"
	"0x4 PROT_EXEC\0";

const char strace_map_flags[] __packed_names =
	"0x1 MAP_SHARED\0"
	"0x2 MAP_PRIVATE\0"
	"0x10 MAP_FIXED\0"
	"0x20 MAP_ANONYMOUS\0"
	"0x100 MAP_GROWSDOWN\0"
	"0x2000 MAP_LOCKED\0"
	"0x4000 MAP_NORESERVE\0"
	"0x8000 MAP_POPULATE\0"
	"0x20000 MAP_STACK\0"
	"0x100000 MAP_FIXED_NOREPLACE\0";

const char strace_epoll_ops[] __packed_names =
	"0x1 EPOLL_CTL_ADD\0"
	"0x2 EPOLL_CTL_DEL\0"
	"0x3 EPOLL_CTL_MOD\0";

const char strace_epoll_events[] __packed_names =
	"0x1 EPOLLIN\0"
	"0x2 EPOLLPRI\0"
	"0x4 EPOLLOUT\0"
	"0x40 EPOLLRDNORM\0"
	"0x80 EPOLLRDBAND\0"
	"0x100 EPOLLWRNORM\0"
	"0x200 EPOLLWRBAND\0"
	"0x400 EPOLLMSG\0"
	"0x8 EPOLLERR\0"
	"0x10 EPOLLHUP\0"
	"0x2000 EPOLLRDHUP\0"
	"0x10000000 EPOLLEXCLUSIVE\0"
	"0x20000000 EPOLLWAKEUP\0"
	"0x40000000 EPOLLONESHOT\0"
	"0x80000000 EPOLLET\0";

const char strace_epoll_flags[] __packed_names =
	"0x80000 EPOLL_CLOEXEC\0";

const char strace_msg_flags[] __packed_names =
	"0x1 MSG_OOB\0"
	"0x2 MSG_PEEK\0"
	"0x4 MSG_DONTROUTE\0"
	"0x8 MSG_CTRUNC\0"
	"0x20 MSG_TRUNC\0"
	"0x40 MSG_DONTWAIT\0"
	"0x80 MSG_EOR\0"
	"0x100 MSG_WAITALL\0"
	"0x2000 MSG_ERRQUEUE\0"
	"0x4000 MSG_NOSIGNAL\0"
	"0x8000 MSG_MORE\0"
	"0x10000 MSG_WAITFORONE\0"
	"0x40000000 MSG_CMSG_CLOEXEC\0";

const char strace_shut_hows[] __packed_names =
	"0x0 SHUT_RD\0"
	"0x1 SHUT_WR\0"
	"0x2 SHUT_RDWR\0";

const char strace_clocks[] __packed_names =
	"0x0 CLOCK_REALTIME\0"
	"0x1 CLOCK_MONOTONIC\0"
	"0x2 CLOCK_PROCESS_CPUTIME_ID\0"
	"0x3 CLOCK_THREAD_CPUTIME_ID\0"
	"0x4 CLOCK_MONOTONIC_RAW\0"
	"0x5 CLOCK_REALTIME_COARSE\0"
	"0x6 CLOCK_MONOTONIC_COARSE\0"
	"0x7 CLOCK_BOOTTIME\0";

const char strace_levels[] __packed_names =
	"0x1 SOL_SOCKET\0"
	"0x0 SOL_IP\0"
	"0x6 SOL_TCP\0"
	"0x11 SOL_UDP\0"
	"0x29 SOL_IPV6\0";

const char strace_socket_options[] __packed_names =
	"0x1 SO_DEBUG\0"
	"0x2 SO_REUSEADDR\0"
	"0x3 SO_TYPE\0"
	"0x4 SO_ERROR\0"
	"0x5 SO_DONTROUTE\0"
	"0x6 SO_BROADCAST\0"
	"0x7 SO_SNDBUF\0"
	"0x8 SO_RCVBUF\0"
	"0x9 SO_KEEPALIVE\0"
	"0xa SO_OOBINLINE\0"
	"0xb SO_NO_CHECK\0"
	"0xc SO_PRIORITY\0"
	"0xd SO_LINGER\0"
	"0xf SO_REUSEPORT\0"
	"0x12 SO_RCVLOWAT\0"
	"0x13 SO_SNDLOWAT\0"
	"0x14 SO_RCVTIMEO_OLD\0"
	"0x15 SO_SNDTIMEO_OLD\0"
	"0x19 SO_BINDTODEVICE\0"
	"0x1e SO_ACCEPTCONN\0"
	"0x24 SO_MARK\0"
	"0x26 SO_PROTOCOL\0"
	"0x27 SO_DOMAIN\0"
	"0x2e SO_BUSY_POLL\0"
	"0x31 SO_INCOMING_CPU\0";

const char strace_tcp_options[] __packed_names =
	"0x1 TCP_NODELAY\0"
	"0x2 TCP_MAXSEG\0"
	"0x3 TCP_CORK\0"
	"0x4 TCP_KEEPIDLE\0"
	"0x5 TCP_KEEPINTVL\0"
	"0x6 TCP_KEEPCNT\0"
	"0x7 TCP_SYNCNT\0"
	"0x8 TCP_LINGER2\0"
	"0x9 TCP_DEFER_ACCEPT\0"
	"0xa TCP_WINDOW_CLAMP\0"
	"0xb TCP_INFO\0"
	"0xc TCP_QUICKACK\0"
	"0xd TCP_CONGESTION\0"
	"0x12 TCP_USER_TIMEOUT\0"
	"0x17 TCP_FASTOPEN\0";

const char strace_signals[] __packed_names =
	"0x1 SIGHUP\0"
	"0x2 SIGINT\0"
	"0x3 SIGQUIT\0"
	"0x4 SIGILL\0"
	"0x5 SIGTRAP\0"
	"0x6 SIGABRT\0"
	"0x7 SIGBUS\0"
	"0x8 SIGFPE\0"
	"0x9 SIGKILL\0"
	"0xa SIGUSR1\0"
	"0xb SIGSEGV\0"
	"0xc SIGUSR2\0"
	"0xd SIGPIPE\0"
	"0xe SIGALRM\0"
	"0xf SIGTERM\0"
	"0x10 SIGSTKFLT\0"
	"0x11 SIGCHLD\0"
	"0x12 SIGCONT\0"
	"0x13 SIGSTOP\0"
	"0x14 SIGTSTP\0"
	"0x15 SIGTTIN\0"
	"0x16 SIGTTOU\0"
	"0x17 SIGURG\0"
	"0x18 SIGXCPU\0"
	"0x19 SIGXFSZ\0"
	"0x1a SIGVTALRM\0"
	"0x1b SIGPROF\0"
	"0x1c SIGWINCH\0"
	"0x1d SIGIO\0"
	"0x1e SIGPWR\0"
	"0x1f SIGSYS\0";

const char strace_fcntls[] __packed_names =
	"0x0 F_DUPFD\0"
	"0x1 F_GETFD\0"
	"0x2 F_SETFD\0"
	"0x3 F_GETFL\0"
	"0x4 F_SETFL\0"
	"0x406 F_DUPFD_CLOEXEC\0";

const char strace_fd_flags[] __packed_names =
	"0x80000 O_CLOEXEC\0"
	"0x800 O_NONBLOCK\0";

const char strace_protocols[] __packed_names =
	"0x0 IPPROTO_IP\0"
	"0x1 IPPROTO_ICMP\0"
	"0x6 IPPROTO_TCP\0"
	"0x11 IPPROTO_UDP\0"
	"0x29 IPPROTO_IPV6\0"
	"0x3a IPPROTO_ICMPV6\0"
	"0xff IPPROTO_RAW\0";

const char strace_arch_prctls[] __packed_names =
	"0x1001 ARCH_SET_GS\0"
	"0x1002 ARCH_SET_FS\0"
	"0x1003 ARCH_GET_FS\0"
	"0x1004 ARCH_GET_GS\0";

#define NUMBER(value) #value
#define E(name) NAMED(name, #name)
#define NAMED(value, name) NUMBER(value) " " name "\0"

const char strace_errnos[] __packed_names =
	E(EPERM) E(ENOENT) E(ESRCH) E(EINTR) E(EIO) E(ENXIO) E(E2BIG)
	E(ENOEXEC) E(EBADF) E(ECHILD) E(EAGAIN) E(ENOMEM) E(EACCES)
	E(EFAULT) E(EBUSY) E(EEXIST) E(EXDEV) E(ENODEV) E(ENOTDIR)
	E(EISDIR) E(EINVAL) E(ENFILE) E(EMFILE) E(ENOTTY) E(EFBIG)
	E(ENOSPC) E(ESPIPE) E(EROFS) E(EMLINK) E(EPIPE) E(EDOM)
	E(ERANGE) E(EDEADLK) E(ENAMETOOLONG) E(ENOSYS) E(ENOTEMPTY)
	E(ELOOP) E(ENODATA) E(ETIME) E(EPROTO) E(EBADMSG) E(EOVERFLOW)
	E(EILSEQ) E(ENOTSOCK) E(EDESTADDRREQ) E(EMSGSIZE) E(EPROTOTYPE)
	E(ENOPROTOOPT) E(EPROTONOSUPPORT) E(ESOCKTNOSUPPORT)
	E(EOPNOTSUPP) E(EPFNOSUPPORT) E(EAFNOSUPPORT) E(EADDRINUSE)
	E(EADDRNOTAVAIL) E(ENETDOWN) E(ENETUNREACH) E(ENETRESET)
	E(ECONNABORTED) E(ECONNRESET) E(ENOBUFS) E(EISCONN) E(ENOTCONN)
	E(ESHUTDOWN) E(ETIMEDOUT) E(ECONNREFUSED) E(EHOSTDOWN)
	E(EHOSTUNREACH) E(EALREADY) E(EINPROGRESS) E(ECANCELED)
	E(ERESTARTSYS);

#undef E
#undef NAMED
#undef NUMBER

/* Sorted by nothing: a traced call may cost a walk. */
const struct strace_signature strace_signatures[] __packed_names = {
	{ __NR_read, "dBu" },
	{ __NR_write, "dbu" },
	{ __NR_open, "s0o" },
	{ __NR_close, "d" },
	{ __NR_stat, "sx" },
	{ __NR_fstat, "dx" },
	{ __NR_lstat, "sx" },
	{ __NR_poll, "xud" },
	{ __NR_lseek, "ddd" },
	{ __NR_mmap, "=xu34dX" },
	{ __NR_mprotect, "xu3" },
	{ __NR_munmap, "xu" },
	{ __NR_brk, "=x" },
	{ __NR_rt_sigaction, "Sxxu" },
	{ __NR_rt_sigprocmask, "dxxu" },
	{ __NR_rt_sigreturn, "x" },
	{ __NR_ioctl, "dXx" },
	{ __NR_pread64, "dBud" },
	{ __NR_pwrite64, "dbud" },
	{ __NR_readv, "dIu" },
	{ __NR_writev, "diu" },
	{ __NR_access, "so" },
	{ __NR_pipe, "p" },
	{ __NR_select, "dxxxx" },
	{ __NR_sched_yield, "" },
	{ __NR_mremap, "=xuuXx" },
	{ __NR_msync, "xuX" },
	{ __NR_madvise, "xud" },
	{ __NR_dup, "d" },
	{ __NR_dup2, "dd" },
	{ __NR_nanosleep, "Tx" },
	{ __NR_getpid, "" },
	{ __NR_socket, "12P" },
	{ __NR_connect, "dau" },
	{ __NR_accept, "dAl" },
	{ __NR_sendto, "dbu7au" },
	{ __NR_recvfrom, "dBu7Al" },
	{ __NR_sendmsg, "dx7" },
	{ __NR_recvmsg, "dx7" },
	{ __NR_shutdown, "d8" },
	{ __NR_bind, "dau" },
	{ __NR_listen, "dd" },
	{ __NR_getsockname, "dAl" },
	{ __NR_getpeername, "dAl" },
	{ __NR_socketpair, "12Pp" },
	{ __NR_setsockopt, "dLNWu" },
	{ __NR_getsockopt, "dLNWl" },
	{ __NR_exit, "d" },
	{ __NR_kill, "dS" },
	{ __NR_uname, "x" },
	{ __NR_fcntl, "dFX" },
	{ __NR_getcwd, "xu" },
	{ __NR_chdir, "s" },
	{ __NR_chroot, "s" },
	{ __NR_fchdir, "d" },
	{ __NR_readlink, "sxu" },
	{ __NR_gettimeofday, "xx" },
	{ __NR_getrlimit, "dx" },
	{ __NR_sysinfo, "x" },
	{ __NR_getuid, "" },
	{ __NR_getgid, "" },
	{ __NR_geteuid, "" },
	{ __NR_getegid, "" },
	{ __NR_getppid, "" },
	{ __NR_arch_prctl, "kx" },
	{ __NR_setrlimit, "dx" },
	{ __NR_gettid, "" },
	{ __NR_tkill, "dS" },
	{ __NR_getdents64, "dxu" },
	{ __NR_set_tid_address, "x" },
	{ __NR_clock_gettime, "9x" },
	{ __NR_clock_getres, "9x" },
	{ __NR_clock_nanosleep, "9dTx" },
	{ __NR_exit_group, "d" },
	{ __NR_epoll_create, "d" },
	{ __NR_epoll_wait, "dVdd" },
	{ __NR_epoll_ctl, "d5dv" },
	{ __NR_tgkill, "ddS" },
	{ __NR_openat, "Ds0o" },
	{ __NR_newfstatat, "DsxX" },
	{ __NR_readlinkat, "Dsxu" },
	{ __NR_faccessat, "Dso" },
	{ __NR_faccessat2, "DsoX" },
	{ __NR_pselect6, "dxxxTx" },
	{ __NR_ppoll, "xuTxu" },
	{ __NR_set_robust_list, "xu" },
	{ __NR_epoll_pwait, "dVddxu" },
	{ __NR_epoll_pwait2, "dVdTxu" },
	{ __NR_timerfd_create, "9e" },
	{ __NR_eventfd, "u" },
	{ __NR_timerfd_settime, "dXxx" },
	{ __NR_timerfd_gettime, "dx" },
	{ __NR_accept4, "dAlc" },
	{ __NR_eventfd2, "ue" },
	{ __NR_epoll_create1, "6" },
	{ __NR_dup3, "dde" },
	{ __NR_pipe2, "pe" },
	{ __NR_preadv, "dIud" },
	{ __NR_pwritev, "diud" },
	{ __NR_recvmmsg, "dxu7T" },
	{ __NR_prlimit64, "ddxx" },
	{ __NR_sendmmsg, "dxu7" },
	{ __NR_getrandom, "xuX" },
	{ __NR_close_range, "uuX" },
};

const u32 strace_nr_signatures = ARRAY_SIZE(strace_signatures);
