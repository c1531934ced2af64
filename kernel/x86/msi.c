/* Message-signalled interrupts: physical destination, fixed, edge. */
#include "kernel/irq.h"

#include "kernel/x86/apic.h"

#define MSI_ADDRESS	0xfee00000ul
#define MSI_DEST_SHIFT	12

struct msi_msg msi_compose(int vector)
{
	return (struct msi_msg){
		.address = MSI_ADDRESS | (u64)apic_id() << MSI_DEST_SHIFT,
		.data = (u32)vector,
	};
}
