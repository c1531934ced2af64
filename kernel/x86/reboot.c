/* Machine reset, for machine_exit() when no driver knows a better way. */
#include "kernel/x86/reboot.h"
#include "kernel/x86/io.h"

#define RESET_CONTROL	0xcf9	/* PIIX3 and ICH9 */
#define RESET_SYSTEM	0x02
#define RESET_NOW	0x04
#define KBD_COMMAND	0x64
#define KBD_PULSE_RESET	0xfe

struct idt_ptr {
	u16 limit;
	u64 base;
} __packed;

void machine_reset(void)
{
	const struct idt_ptr none = { 0 };

	outb(RESET_SYSTEM, RESET_CONTROL);
	outb(RESET_SYSTEM | RESET_NOW, RESET_CONTROL);
	outb(KBD_PULSE_RESET, KBD_COMMAND);
	for (;;)
		__asm__ volatile("lidt %0; ud2" : : "m"(none));
}
