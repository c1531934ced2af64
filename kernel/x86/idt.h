/* The interrupt table and the MSRs of `syscall`. */
#pragma once

/* Fills the table (once), then loads it. Each CPU, after gdt_init(). */
void idt_init(void);
