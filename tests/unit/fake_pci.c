/* Configuration spaces as arrays; BARs that answer to being sized. */
#include "tests/unit/fake_pci.h"

#include "tests/unit/unit.h"

#include "kernel/mm/vmalloc.h"

static struct function functions[FUNCTIONS];
static unsigned int nr_functions;
bool fake_pci_present;
unsigned int fake_pci_reads;
phys_addr_t mapped_at;
size_t mapped_len;
u8 registers[4096];

static struct function *find(u16 bdf)
{
	for (unsigned int i = 0; i < nr_functions; i++) {
		if (functions[i].bdf == bdf)
			return &functions[i];
	}
	return NULL;
}

bool pci_conf_present(void)
{
	return fake_pci_present;
}

u32 pci_conf_read32(u16 bdf, u16 off)
{
	struct function *f = find(bdf);

	assert_int_equal(off & 3, 0);
	assert_in_range(off, 0, 252);
	fake_pci_reads++;
	return f ? f->conf[off / 4] : UINT32_MAX;
}

void pci_conf_write32(u16 bdf, u16 off, u32 val)
{
	struct function *f = find(bdf);
	unsigned int bar = (off - PCI_BAR0) / 4u;

	assert_non_null(f);
	if (off >= PCI_BAR0 && bar < PCI_BARS) {
		u32 fixed = f->high[bar] ? 0 : 0xf;

		/* Nobody may test a BAR that is being decoded. */
		assert_false(f->conf[1] & PCI_COMMAND_MEMORY);
		f->conf[off / 4] = (val & f->bar_mask[bar] & ~fixed) |
				   (f->conf[off / 4] & fixed);
		return;
	}
	if (off == PCI_COMMAND)
		f->conf[1] = (f->conf[1] & 0xffff0000u) | (u16)val;
	else
		f->conf[off / 4] = val;
}

void *ioremap(phys_addr_t pa, size_t size)
{
	mapped_at = pa;
	mapped_len = size;
	return registers + (pa & 0xfff);
}

struct function *add(u16 bdf, u16 vendor, u16 device)
{
	struct function *f = &functions[nr_functions++];

	memset(f, 0, sizeof(*f));
	f->bdf = bdf;
	f->conf[0] = (u32)device << 16 | vendor;
	return f;
}

void set8(struct function *f, unsigned int off, u8 val)
{
	((u8 *)f->conf)[off] = val;
}

void set_bar(struct function *f, unsigned int nr, u64 addr, u64 size,
		    u32 flags)
{
	f->conf[4 + nr] = (u32)addr | flags;
	f->bar_mask[nr] = (u32)~(size - 1);
	if (flags & 4) {
		f->conf[5 + nr] = (u32)(addr >> 32);
		f->bar_mask[nr + 1] = (u32)(~(size - 1) >> 32);
		f->high[nr + 1] = true;
	}
}

struct pci_dev dev_of(const struct function *f)
{
	return (struct pci_dev){ .bdf = f->bdf };
}

struct function *with_caps(void)
{
	struct function *f = add(0, 0x1af4, 0x1041);

	f->conf[1] = PCI_STATUS_CAP_LIST << 16;
	return f;
}

void set_cap(struct function *f, u8 at, u8 id, u8 next)
{
	set8(f, at, id);
	set8(f, at + 1, next);
}

void fake_pci_reset(void)
{
	nr_functions = 0;
	fake_pci_reads = 0;
	fake_pci_present = true;
	mapped_at = 0;
	memset(registers, 0xee, sizeof(registers));
}
