# Pollux: `make run` boots the echo server, `make test` checks everything.

B	:= build
CC	:= gcc
DIRS	:= boot kernel kernel/x86 kernel/mm drivers net net/ip net/tcp \
	   net/lwip fs
SRCS	:= $(wildcard $(addsuffix /*.c,$(DIRS)) $(addsuffix /*.S,$(DIRS)))
OBJS	:= $(SRCS:%=$(B)/%.o)

CFLAGS	:= -std=gnu11 -O2 -g -ffreestanding -fno-pic -no-pie -mcmodel=kernel \
	   -mno-red-zone -mgeneral-regs-only -fno-asynchronous-unwind-tables \
	   -fno-omit-frame-pointer -fstack-protector-strong \
	   -mstack-protector-guard=global -ffunction-sections -fdata-sections \
	   -Wall -Wextra -Werror -Wvla -Wundef -Wmissing-prototypes \
	   -Wstrict-prototypes -Wswitch-enum -Wimplicit-fallthrough \
	   -Wframe-larger-than=1024 -I. -MMD -MP
ASFLAGS	:= -g -I. -MMD -MP
LDFLAGS	:= -nostdlib -static -T linker.ld --gc-sections -z noexecstack \
	   -z max-page-size=4096 --build-id=none

all: $(B)/pollux.elf

$(B)/%.c.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -c $< -o $@

$(B)/%.S.o: %.S
	@mkdir -p $(@D)
	$(CC) $(ASFLAGS) -c $< -o $@

objs: $(OBJS)

$(B)/pollux.elf: $(OBJS) linker.ld
	$(LD) $(LDFLAGS) $(OBJS) -o $@

# Host unit tests under the sanitisers; tests/unit/Makefile says how.
unit:
	@$(MAKE) --no-print-directory -f tests/unit/Makefile run

# What must hold before a change joins the main line.
land-check: objs unit

clean:
	rm -rf $(B)

.PHONY: all objs unit land-check clean
-include $(OBJS:.o=.d)
