/*
 * start_kernel(): the whole initialisation, in order. Everything it calls
 * says in its own header what it needs to have been called before.
 */
#include "boot/boot.h"
#include "drivers/drivers.h"
#include "kernel/mm/memblock.h"
#include "kernel/mm/page.h"
#include "kernel/panic.h"
#include "kernel/param.h"
#include "kernel/printk.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/paging.h"
#include "kernel/x86/sections.h"

void start_kernel(void)
{
	cpu_init();
	drivers_early_init();
	parse_params();
	memblock_init(&memblock, &boot_info, image_to_phys(__image_start),
		      image_to_phys(__image_end));
	paging_init();
	pr_notice("pollux: booted by %s, direct map at %#llx",
		  boot_info.door, (unsigned long long)direct_map_base);
	machine_exit(0);
}
