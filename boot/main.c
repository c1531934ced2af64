/*
 * start_kernel(): the whole initialisation, in order. Everything it calls
 * says in its own header what it needs to have been called before.
 */
#include "boot/boot.h"
#include "boot/init.h"
#include "drivers/drivers.h"
#include "fs/eventpoll.h"
#include "fs/file.h"
#include "fs/proc.h"
#include "kernel/debug/kasan.h"
#include "kernel/mm/memblock.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/mm/vmalloc.h"
#include "kernel/panic.h"
#include "kernel/param.h"
#include "kernel/printk.h"
#include "kernel/random.h"
#include "kernel/sched.h"
#include "kernel/softirq.h"
#include "kernel/syscall.h"
#include "kernel/trace.h"
#include "kernel/watchdog.h"
#include "kernel/x86/apic.h"
#include "kernel/x86/clock.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/fpu.h"
#include "kernel/x86/gdt.h"
#include "kernel/x86/idt.h"
#include "kernel/x86/irqflags.h"
#include "kernel/x86/paging.h"
#include "kernel/x86/sections.h"
#include "kernel/x86/tsc.h"
#include "net/dev.h"
#include "net/drain.h"
#include "net/inet.h"
#include "net/lwip/lwip_port.h"
#include "net/proc.h"
#include "net/skbuff.h"
#include "net/sock.h"
#include "net/socket.h"
#include "net/tcp/tcp.h"
#include "net/tcp/tcp_sysctl.h"
#include "net/udp.h"
#include "net/unix.h"

noinline void start_kernel(void)
{
	/* The CPU, a console, and what the command line wants. */
	cpu_init();
	gdt_init();
	idt_init();
	fpu_init();
	tsc_init();
	drivers_early_init();
	parse_params();

	/* Memory. */
	memblock_init(&memblock, &boot_info, image_to_phys(__image_start),
		      image_to_phys(__image_end));
	paging_init();
	kasan_init();
	page_alloc_init();
	slab_init();
	virtio_drivers_init();
	vmalloc_init();

	/* Interrupts, tasks, time. */
	sched_init();
	trace_init();
	syscall_init();
	random_init();
	apic_init();
	irq_init(timer_irq);
	softirq_init();
	clock_init();
	watchdog_init();
	local_irq_enable();

	/* Files, sockets, network. */
	file_init();
	read_write_init();
	eventpoll_init();
	skb_init();
	net_dev_init();
	sock_init();
	socket_init();
	inet_init();
	unix_init();
	lwip_port_init();
	udp_sockets_init();
	tcp_init();
	net_drain_init();
	proc_net_register(net_proc_entries);
	proc_sysctl_register(tcp_sysctls);

	/* From here on nothing of the image changes that should not. */
	mark_rodata_ro();
	free_initmem();
	pr_info("pollux: booted by %s, %llu KiB free", boot_info.door,
		(unsigned long long)nr_free_pages() * 4);
	if (!kthread_run(init_task, NULL, "init"))
		panic("boot: no memory for the first task; give the machine "
		      "more (-m)");
	cpu_idle_loop();
}
