# Pollux. `make run` boots the echo server, `make test` checks everything,
# `make help` lists the rest. Set-up (Debian packages, lwIP's source) is done
# on the way: see tools/need and tools/fetch-source.

# DEBUG=1: the kernel with its checkers (docs/debugging.md), in build/debug/.
DEBUG	?=
# TRACE=0: without tracepoints, in build/notrace/, for make bench-trace.
TRACE	?= 1
B	:= $(if $(DEBUG),build/debug,$(if $(TRACE:0=),build,build/notrace))
CC	:= gcc

# ---- What `make run` can be told -------------------------------------------
PROG	?= echo
MACHINE	?= pc
BOOT	?= kernel
MEM	?= 64
ACCEL	?=
PORT	?=
ARGS	?=
CORE	?=
PCAP	?=
SETUP	?= yes
# V=1 shows the commands of the build.
V	?=
Q	:= $(if $(V),,@)
say	= $(if $(V),,@echo '  $1  $2')
RUN	= tools/qemu.py --prog $(PROG) --machine $(MACHINE) --mem $(MEM) \
	  --args "$(ARGS)" $(if $(ACCEL),--accel $(ACCEL)) \
	  $(if $(PORT),--port $(PORT)) --qmp $(B)/qmp --ram $(B)/guest.ram \
	  $(if $(CORE),--core $(CORE)) $(if $(PCAP),--pcap $(PCAP))

# ---- Debian packages, by what needs them -----------------------------------
NEED_build := gcc libc6-dev binutils musl-tools python3 dpkg-dev xz-utils
NEED_run   := qemu-system-x86 python3
NEED_replay := qemu-system-x86 qemu-utils gdb python3
NEED_iso   := grub-common grub-pc-bin xorriso
NEED_fuzz  := clang libclang-rt-14-dev
NEED_lint  := clang clang-tidy cppcheck
NEED_unit  := gcc libc6-dev libcmocka-dev python3
NEED_test  := qemu-utils python3-pytest python3-scapy gdb strace wrk iproute2 cpio e2fsprogs
# Unpacked below $(B)/servers for their tests; nothing of it is installed.
SERVERS	:= redis-server redis-tools nginx memcached haproxy lighttpd nodejs \
	   golang-go sockperf nghttp2-client curl busybox-static dropbear-bin
need	= $(if $(filter yes,$(SETUP)),$(B)/.need-$1)

# ---- Sources ---------------------------------------------------------------
DIRS	:= boot kernel kernel/x86 kernel/mm drivers net net/ip net/tcp \
	   net/lwip fs $(if $(DEBUG),kernel/debug boot/debug)
SRCS	:= $(wildcard $(addsuffix /*.c,$(DIRS)) $(addsuffix /*.S,$(DIRS)))

# lwIP is a distribution source package, never in this tree. net/lwip/lwip.mk
# sets LWIP_SRCS: the files of it that we use, relative to its src folder.
LWIP_DIR ?= build/lwip
-include net/lwip/lwip.mk
LWIP_OBJS := $(LWIP_SRCS:%.c=$(B)/lwip.o/%.o)
LWIP_INC  := -Inet/lwip/include -isystem $(LWIP_DIR)/src/include
LWIP_HERE := $(if $(LWIP_SRCS),$(LWIP_DIR)/src/include/lwip/init.h)

# What only pollux-disk.elf has: files that last, on a share or a disk, and
# starts from a saved machine. The kernel without is the smaller by a third.
DISK_SRCS := $(wildcard drivers/virtio_9p.c drivers/virtio_balloon.c \
	   drivers/virtio_blk.c drivers/virtio_call.c fs/mnt_*.c fs/p9*.c \
	   fs/ext/*.c \
	   fs/ext/lib/*.c boot/warm.c drivers/fw_cfg.c)
SRCS	:= $(filter-out $(DISK_SRCS),$(SRCS))

OBJS	:= $(SRCS:%=$(B)/%.o) $(LWIP_OBJS)

# libext2fs is one, too. fs/ext/ext.mk says which files of it.
E2FS_DIR ?= $(B)/e2fsprogs
-include fs/ext/ext.mk
E2FS_OBJS := $(E2FS_SRCS:%.c=$(B)/e2fs.o/%.o)
E2FS_HERE := $(B)/e2fs.inc/crc32c_table.h
E2FS_OBJS += $(E2FS_OURS:%=$(B)/%.o)
DISK_OBJS := $(patsubst %,$(B)/%.o,$(filter-out $(E2FS_OURS),$(DISK_SRCS))) \
	   $(B)/e2fs.o/all.o
PROGS	:= echo hello

# The stack is aligned to 8: without vector registers nothing needs more. That
# functions think it is 16 when they are called keeps them from aligning it.
STACK	:= $(if $(DEBUG),,-mpreferred-stack-boundary=3 \
	   -mincoming-stack-boundary=4)
CFLAGS	:= -std=gnu11 -O2 -g -ffreestanding -fno-pic -no-pie -mcmodel=kernel \
	   -mno-red-zone -mgeneral-regs-only $(STACK) \
	   -fno-asynchronous-unwind-tables \
	   -fomit-frame-pointer -fno-optimize-sibling-calls \
	   -fno-align-functions -fno-align-jumps -fno-align-loops \
	   -malign-data=abi -mskip-rax-setup \
	   -fstack-protector-strong \
	   -mstack-protector-guard=tls -mstack-protector-guard-reg=gs \
	   -mstack-protector-guard-symbol=__stack_chk_guard \
	   -ffunction-sections -fdata-sections \
	   -Wall -Wextra -Werror -Wvla -Wundef -Wmissing-prototypes \
	   -Wstrict-prototypes -Wswitch-enum -Wimplicit-fallthrough \
	   -Wframe-larger-than=1024 -I. -ffile-prefix-map=$(CURDIR)=.
ASFLAGS	:= -g -I. -ffile-prefix-map=$(CURDIR)=.
LDFLAGS	:= -nostdlib -static -n -O2 -T linker.ld --gc-sections --sort-section=name -z noexecstack \
	   -z max-page-size=4096 --build-id=none
ifeq ($(TRACE),0)
CFLAGS	+= -DNO_TRACE
endif
USER_CFLAGS := -std=gnu11 -static -O2 -g -Wall -Wextra -Werror -I.

# The kernel is compiled as a whole (LTO), so that a call across files costs no
# more than one within. Not so what the compiler itself calls by name. What a
# packet and a connection run through is compiled as usual, and says itself
# which of its steps are one (__inline_hot); everything else for size.
SPEED	:= $(addprefix drivers/,virtio_net.c virtio_net_rx.c virtio_net_tx.c \
	   virtio_ring.c) \
	   $(addprefix net/,dev.c skbuff.c sock.c socket.c \
	   ip/ip_input.c ip/ip_output.c) \
	   $(addprefix net/tcp/tcp_,ack.c established.c header.c output.c \
	   recvmsg.c rtt.c sendmsg.c transmit.c v4.c) \
	   $(addprefix fs/,eventpoll.c epoll_syscall.c fdtable.c \
	   read_write.c) \
	   $(addprefix kernel/,sched.c softirq.c uio.c wait.c mm/slab.c) \
	   $(addprefix net/tcp/tcp_,accept.c close.c data.c \
	   hash.c input.c isn.c listen.c mini.c request.c \
	   state.c timer.c) \
	   $(addprefix net/,ip/checksum.c ip/route.c) \
	   $(addprefix fs/,epoll_ctl.c file.c) \
	   $(addprefix kernel/,hrtimer.c irq.c rbtree.c siphash.c \
	   time.c timer.c mm/kmalloc.c x86/apic.c \
	   x86/clock.c x86/switch.c \
	   x86/uaccess.c)
SIZE	:= $(filter-out $(SPEED),$(SRCS:%.S=))
# Where size counts, and nothing comes from outside, a function without an array
# on its stack has no guard; __stackprotect is for arrays of other than bytes.
OZ	:= -Oz -fno-jump-tables -fno-stack-protector -fstack-protector \
	   --param=ssp-buffer-size=1
ALONE	:= $(addprefix kernel/,string.c libgcc.c x86/stackprotector.c)
LTO	:= $(if $(DEBUG),,-flto=2 -flto-partition=one)
# All but what asmlinkage says is called from within: a function of one caller
# becomes part of it.
WHOLE	:= -fwhole-program -fno-use-linker-plugin -flinker-output=exec

# The checkers see every access but those of what they stand on.
ifneq ($(DEBUG),)
CHECKS	:= -fsanitize=kernel-address -fasan-shadow-offset=0xdffffc0000000000 \
	   --param asan-stack=1 --param asan-globals=1 \
	   --param asan-instrumentation-with-call-threshold=0 \
	   -fsanitize=undefined -fno-sanitize=alignment
CFLAGS	+= -DDEBUG_KERNEL -Wframe-larger-than=4096
ASFLAGS	+= -DDEBUG_KERNEL
UNCHECKED := $(wildcard kernel/debug/*.c) kernel/mm/slab.c kernel/names.c
$(patsubst %,$(B)/%.o,$(filter-out $(UNCHECKED),$(filter %.c,$(SRCS)))): \
	CFLAGS += $(CHECKS)
$(DISK_OBJS): CFLAGS += $(CHECKS)
$(LWIP_OBJS): CFLAGS += $(filter-out -fsanitize=undefined,$(CHECKS))
endif
$(SIZE:%=$(B)/%.o) $(DISK_OBJS) $(E2FS_OBJS) $(LWIP_OBJS): OPT := $(OZ)
# Packets, devices and files are from outside: these have guards as all others.
OUTSIDE	:= $(filter $(B)/net/% $(B)/drivers/% $(B)/fs/%,\
	   $(SIZE:%=$(B)/%.o) $(DISK_OBJS)) $(LWIP_OBJS)
$(OUTSIDE): OPT := -Oz -fno-jump-tables
$(ALONE:%=$(B)/%.o): LTO :=

all: $(B)/pollux.elf $(B)/pollux.stripped.elf $(B)/initramfs.cpio

# ---- The kernel ------------------------------------------------------------
# Changes when the flags do: all objects depend on it.
$(B)/.flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CFLAGS) $(OZ) $(SPEED) $(SIZE) $(OUTSIDE)' | \
		cmp -s - $@ || \
		echo '$(CC) $(CFLAGS) $(OZ) $(SPEED) $(SIZE) $(OUTSIDE)' >$@

$(OBJS) $(DISK_OBJS) $(E2FS_OBJS): $(B)/.flags

$(B)/%.c.o: %.c | $(call need,build) $(LWIP_HERE)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CFLAGS) $(INC) $(OPT) $(LTO) -frandom-seed=$< -MMD -MP \
		-c $< -o $@

$(B)/%.S.o: %.S | $(call need,build)
	@mkdir -p $(@D)
	$(call say,AS,$<)
	$(Q)$(CC) $(ASFLAGS) -MMD -MP -c $< -o $@

# What the kernel maps into the program, a shared object of one page.
$(B)/vdso.so: kernel/x86/vdso/vdso.c kernel/x86/vdso/vdso.lds kernel/vvar.h \
		kernel/time.h tools/trim-elf.py $(B)/.flags \
		| $(call need,build)
	$(call say,VDSO,$@)
	$(Q)$(CC) -std=gnu11 -O2 -ffreestanding -fPIC -shared -nostdlib \
		-fno-stack-protector -fno-asynchronous-unwind-tables \
		-Wall -Wextra -Werror -I. -Wl,--hash-style=sysv \
		-Wl,-soname,linux-vdso.so.1 -Wl,--build-id=none -s \
		-Wl,-z,noexecstack -Wl,-T,$(word 2,$^) $< -o $@.full
	$(Q)tools/trim-elf.py --page $@.full $@

$(B)/kernel/x86/vdso_image.S.o: ASFLAGS += -DVDSO='"$(B)/vdso.so"'
$(B)/kernel/x86/vdso_image.S.o: $(B)/vdso.so

$(B)/net/lwip/%.o: CFLAGS += $(LWIP_INC)
$(filter $(B)/net/lwip/%,$(OBJS)) $(LWIP_OBJS): $(LWIP_CONF)

# lwIP's own files are not held to our warnings.
$(LWIP_OBJS): $(B)/lwip.o/%.o: | $(LWIP_HERE)
	@mkdir -p $(@D)
	$(call say,CC,$*.c of lwIP)
	$(Q)$(CC) $(filter-out -Werror,$(CFLAGS)) $(OPT) $(LTO) $(LWIP_INC) -w -MMD -MP \
		-frandom-seed=$* -c $(LWIP_DIR)/src/$*.c -o $@

$(LWIP_DIR)/src/include/lwip/init.h: | $(call need,build)
	tools/fetch-source lwip $(LWIP_DIR)

# libext2fs's own files are not held to our warnings. It has names that the
# kernel has, too: of it and what calls it, only fs/ext/ext_lib.h is seen.
$(B)/e2fs.o/all.o: $(E2FS_OBJS)
	$(call say,LD,$@)
	$(Q)$(LD) -r $(E2FS_OBJS) -o $@.tmp
	$(Q)objcopy -w -G 'ext_lib_*' -G ext_crc32c $@.tmp $@

$(E2FS_OURS:%=$(B)/%.o): INC = $(E2FS_INC)
$(E2FS_OURS:%=$(B)/%.o): LTO :=
$(E2FS_OURS:%=$(B)/%.o): | $(E2FS_HERE)
$(E2FS_SRCS:%.c=$(B)/e2fs.o/%.o): $(B)/e2fs.o/%.o: | $(E2FS_HERE)
	@mkdir -p $(@D)
	$(call say,CC,$*.c of e2fsprogs)
	$(Q)$(CC) $(filter-out -Werror,$(CFLAGS)) $(OPT) $(E2FS_INC) -w \
		-MMD -MP -c $(E2FS_DIR)/$*.c -o $@

$(B)/e2fsprogs/version.h: | $(call need,build)
	tools/fetch-source e2fsprogs $(B)/e2fsprogs

# What e2fsprogs makes for itself before it is compiled.
$(B)/e2fs.inc/crc32c_table.h: tools/e2fs-headers $(E2FS_DIR)/version.h
	tools/e2fs-headers $(E2FS_DIR) $(@D)

objs: $(OBJS) $(DISK_OBJS)

$(B)/pack: tools/pack.c kernel/unpack.h kernel/x86/unwind.h \
		kernel/x86/insn.h kernel/names.h | $(call need,build)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O2 -Wall -Wextra -Werror -I. $< -o $@

# The tables that backtraces use, symbols and frame sizes, hold addresses of
# the kernel that they are part of. So: link without them, make them, link with
# them.
$(B)/pollux.elf: $(B)/kernel.o
$(B)/pollux-disk.elf: $(B)/kernel-disk.o
$(B)/pollux.elf $(B)/pollux-disk.elf: linker.ld tools/kallsyms tools/unwind \
		tools/relocs tools/link-kallsyms $(B)/pack
	$(call say,LD,$@)
	$(Q)tools/link-kallsyms $(@:.elf=.kallsyms) $(B)/pack \
		'$(CC) $(ASFLAGS)' '$(LD) $(LDFLAGS)' $(filter %.o,$^) $@

$(B)/kernel.o: $(OBJS)
$(B)/kernel-disk.o: $(OBJS) $(DISK_OBJS)
# libext2fs, which is compiled alone, calls this and that of it.
$(B)/kernel-disk.o: WHOLE := -flinker-output=nolto-rel
$(B)/kernel.o $(B)/kernel-disk.o:
	$(call say,LTO,$@)
	$(Q)$(CC) $(CFLAGS) $(LTO) $(if $(LTO),$(WHOLE)) -frandom-seed=$@ -r \
		-nostdlib $(filter %.o,$^) -o $@

$(B)/%.stripped.elf: $(B)/%.elf tools/trim-elf.py
	$(call say,STRIP,$@)
	$(Q)tools/trim-elf.py $< $@

# ---- The programs ----------------------------------------------------------
$(PROGS:%=$(B)/user/%): $(B)/user/%: user/%.c user/loop.c user/loop.h \
		| $(call need,build)
	@mkdir -p $(@D)
	musl-gcc $(USER_CFLAGS) $< user/loop.c -o $@

$(B)/user/%.stripped: $(B)/user/%
	strip -s $< -o $@

# The programs of the tests: built like the others, not in the initramfs.
$(B)/tests/abi: $(wildcard tests/abi/*.c) tests/abi/abi.h | $(call need,build)
	@mkdir -p $(@D)
	musl-gcc $(USER_CFLAGS) -Wno-unused-result -Wno-unused-parameter $(filter %.c,$^) -o $@

# What tries at random, as long as it is told to.
$(B)/tests/calls: $(wildcard tests/stress/calls*.[ch]) | $(call need,build)
	@mkdir -p $(@D)
	musl-gcc $(USER_CFLAGS) $(filter %.c,$^) -o $@

$(B)/tests/epolls: tests/stress/epolls.c | $(call need,build)
	@mkdir -p $(@D)
	musl-gcc $(USER_CFLAGS) $< -o $@

TEST_PROGS := abi calls epolls dynamic vdso-glibc vdso-dynamic \
	vdso-glibc-dynamic threads-glibc $(basename $(notdir $(wildcard tests/progs/*.c)))

$(B)/tests/%: tests/progs/%.c | $(call need,build)
	@mkdir -p $(@D)
	musl-gcc $(USER_CFLAGS) $< -o $@

# The other C library, where its way matters.
$(B)/tests/%-glibc: tests/progs/%.c | $(call need,build)
	@mkdir -p $(@D)
	$(CC) $(USER_CFLAGS) $< -o $@

# What finds the vDSO through its dynamic linker.
$(B)/tests/vdso-dynamic $(B)/tests/vdso-glibc-dynamic: tests/progs/vdso.c \
		| $(call need,build)
	@mkdir -p $(@D)
	$(if $(findstring glibc,$@),$(CC),musl-gcc) \
		$(filter-out -static,$(USER_CFLAGS)) $< -o $@

# Static, and yet it may lie anywhere.
$(B)/tests/where: tests/progs/where.c | $(call need,build)
	@mkdir -p $(@D)
	$(CC) $(filter-out -static,$(USER_CFLAGS)) -static-pie -fPIE $< -o $@

$(B)/tests/dynamic: tests/progs/exit.c | $(call need,build)
	@mkdir -p $(@D)
	musl-gcc $(filter-out -static,$(USER_CFLAGS)) $< -o $@

$(B)/initramfs.cpio: $(PROGS:%=$(B)/user/%.stripped) tools/mkinitramfs.py
	tools/mkinitramfs.py $@ $(foreach p,$(PROGS),$p=$(B)/user/$p.stripped)

$(B)/pollux.iso: $(B)/pollux.stripped.elf $(B)/initramfs.cpio boot/grub.cfg \
		tools/mkiso | $(call need,iso)
	tools/mkiso $@ $(B)/pollux.stripped.elf $(B)/initramfs.cpio \
		"ip=dhcp init=/echo"

iso: $(B)/pollux.iso

disk: $(B)/pollux-disk.elf $(B)/pollux-disk.stripped.elf

# ---- Running ---------------------------------------------------------------
run: all $(call need,run) $(if $(filter iso,$(BOOT)),run-iso,run-kernel)

run-kernel: all | $(call need,run)
	@$(RUN)

# An ISO of its own: its command line is this run's.
run-iso: all | $(call need,run) $(call need,iso)
	@tools/mkiso $(B)/run.iso $(B)/pollux.stripped.elf \
		$(B)/initramfs.cpio "ip=dhcp init=/$(PROG) $(ARGS)"
	@$(RUN) --iso $(B)/run.iso

gdb: all | $(call need,run) $(call need,test)
	@tools/gdb-guest $(RUN)

# A run with its network input, and the same run again, in gdb, which can go
# backwards in it: reverse-step, reverse-continue.
record: all | $(call need,replay)
	@tools/rr.py record --machine $(MACHINE) --prog $(PROG) --mem $(MEM) \
		--args "$(ARGS)" $(if $(PORT),--port $(PORT))

replay: | $(call need,replay)
	@ELF=$(B)/rr/pollux.elf tools/gdb-guest tools/rr.py replay

# A page that draws the live kernel: of the guest that `make run` has started,
# or of one of its own.
.PHONY: watch
NEED_browser := chromium
test: | $(call need,browser)
watch: override ARGS := trace=all $(ARGS)
watch: all | $(call need,replay)
	@/usr/bin/python3 -m tools.watch $(if $(HTTP),--http $(HTTP)) \
		--start $(RUN)

# A core of the guest that `make run` has started, which runs on.
core:
	@tools/core.py $(or $(CORE),$(B)/pollux.core)

# ---- Measuring -------------------------------------------------------------
# The plugin's interface is declared in QEMU's source package.
$(B)/qemu/include/qemu/qemu-plugin.h: | $(call need,build)
	tools/fetch-source qemu $(B)/qemu '*/include/qemu/qemu-plugin.h'

$(B)/bench/insns.so: bench/insns.c $(B)/qemu/include/qemu/qemu-plugin.h
	@mkdir -p $(@D)
	$(CC) -O2 -Wall -Wextra -Werror -shared -fPIC -I$(B)/qemu/include/qemu \
		$< -o $@

$(B)/flood: tests/floods/flood.c | $(call need,build)
$(B)/link-emulator: tools/link-emulator.c | $(call need,build)
$(B)/flood $(B)/link-emulator:
	@mkdir -p $(@D)
	$(CC) -O2 -Wall -Wextra -Werror $< -o $@

$(B)/bench/load $(B)/bench/million: $(B)/bench/%: bench/%.c \
		| $(call need,build)
	@mkdir -p $(@D)
	$(CC) -O2 -Wall -Wextra -Werror $< -o $@

# What starting any kernel takes.
$(B)/bench/empty.elf: bench/empty.S | $(call need,build)
	@mkdir -p $(@D)
	$(Q)$(CC) -nostdlib -static -no-pie -Wl,-Ttext=0x100000,-estart \
		-Wl,--build-id=none $< -o $@

# Pollux beside a Linux guest, in turn, into one table (root); ROUNDS=3,
# PARTS="rates boot memory idle size insns device", BENCH=native adds the host.
bench: all $(B)/bench/insns.so $(B)/bench/load $(B)/bench/million \
		| $(call need,run) $(call need,test)
	BENCH=$(BENCH) bench/compare.py $(ROUNDS) $(PARTS)

# Pollux alone, quickly; WHAT="boot memory size insns idle" picks some.
bench-pollux: all $(B)/pollux.iso $(B)/bench/insns.so $(B)/bench/load \
		$(B)/bench/empty.elf \
		| $(call need,run) $(call need,test)
	bench/measure.py $(WHAT)

# Instructions for each byte of bulk data, in and out in every way (root).
bench-bulk: all $(B)/tests/bulk $(B)/bench/insns.so $(B)/bench/load \
		| $(call need,run) $(call need,test)
	bench/bulk.py $(MIBS)

# What tracepoints cost that are off, in instructions (root).
bench-trace: all $(B)/notrace/pollux.elf $(B)/bench/insns.so $(B)/bench/load \
		| $(call need,run)
	bench/measure.py trace

# What epoll's calls cost beside so many watches: WATCHES="10 10000 1000000".
bench-epoll: all $(B)/tests/epoll_cost | $(call need,run)
	bench/epoll_cost.py $(WATCHES)

# So many connections at once and their bill (root); with FLAT="0 1000 ..." the
# instructions for an echo beside so many idle ones.
bench-million: all $(B)/bench/million $(if $(FLAT),$(B)/bench/insns.so \
		$(B)/bench/load) | $(call need,run) $(call need,test)
	bench/million.py $(if $(FLAT),flat $(FLAT),$(CONNS))

# 20 MB from and to both guests over bad links, one table (root); ROUNDS=3,
# CELLS="1,20 reorder", JOBS=4 slow links at a time.
bench-links: all $(B)/link-emulator | $(call need,run) $(call need,test)
	JOBS=$(or $(JOBS),4) bench/links.py $(ROUNDS) $(CELLS)

# ---- Checking --------------------------------------------------------------
# Host unit tests under the sanitisers; tests/unit/Makefile says how.
unit: | $(call need,unit) $(LWIP_HERE)
	@$(MAKE) --no-print-directory -f tests/unit/Makefile \
		LWIP_DIR=$(LWIP_DIR) run

check: | $(call need,build) $(LWIP_HERE) $(E2FS_HERE)
	@tools/check.py --cc '$(CC) $(CFLAGS)' --lwip '$(LWIP_INC)' \
		--e2fs '$(E2FS_INC)'

# Other compilers and analysers (tools/lint): LINT="clang cppcheck" picks some.
# make itself knows a program of that name.
lint: | $(call need,build) $(call need,lint)
	@tools/lint $(if $(filter default,$(origin LINT)),,$(LINT))

# The kernel with its checkers, beside the other.
$(if $(DEBUG),,build/debug/pollux.elf): FORCE
	@$(MAKE) --no-print-directory DEBUG=1 SETUP=$(SETUP) $@

# The kernel without tracepoints.
test: build/notrace/pollux.elf
$(if $(TRACE:0=),build/notrace/pollux.elf): FORCE
	@$(MAKE) --no-print-directory TRACE=0 SETUP=$(SETUP) $@

# The system calls and the echo once more with that kernel, which is silent.
test-debug: build/debug/pollux.elf all $(TEST_PROGS:%=$(B)/tests/%)
	@KERNEL=build/debug/pollux.elf /usr/bin/python3 -m pytest -q \
		$(or $(TESTS),tests/abi tests/e2e/test_echo.py)

# Random system calls on the kernel with its checkers, TIME seconds of them;
# its run in `make test` takes ten.
fuzz-syscalls: TIME ?= 600
SEED	?=

fuzz-syscalls: build/debug/pollux.elf $(B)/tests/calls | $(call need,test)
	TIME=$(TIME) SEED=$(SEED) /usr/bin/python3 -m pytest -q -s \
		tests/e2e/test_stress.py -k test_calls

# The same for epoll: who changes what is watched, while others wait; on both
# kernels, and on one that loses wakeups, which must be found.
OPS	?= 1000000

stress-epoll: all build/debug/pollux.elf $(B)/tests/epolls | $(call need,test)
	OPS=$(OPS) SEED=$(SEED) /usr/bin/python3 -m pytest -q -s \
		tests/e2e/test_stress.py -k test_epolls

# Every suite; TESTS="tests/wire -k arp" picks some of the pytest ones.
test: all iso disk build/debug/pollux.elf $(TEST_PROGS:%=$(B)/tests/%) \
		$(B)/link-emulator $(B)/flood \
		$(PROGS:%=$(B)/user/%) \
		$(B)/bench/million $(B)/bench/empty.elf \
		| $(call need,run) $(call need,unit) $(call need,lint) \
		$(call need,fuzz) $(call need,test) servers
	@tests/run $(TESTS)

# A server that cannot be had is one test skipped, with the reason.
servers: | $(call need,test)
	@$(if $(SETUP:no=),tools/fetch-packages $(B)/servers $(SERVERS) || true)

# One protection after the other taken out: its tests must fail. Hours; ONLY=
# picks some: ONLY='ring-* smep'.
mutate: all iso build/debug/pollux.elf unit $(TEST_PROGS:%=$(B)/tests/%)
	@tests/mutate/run $(ONLY)

# So many boots: everything that is drawn at each is distinct and even.
BOOTS	?= 100

test-boots: all $(B)/tests/where | $(call need,run) $(call need,test)
	BOOTS=$(BOOTS) /usr/bin/python3 -m pytest -q tests/security/test_boots.py

.PHONY: soak
# A mixed load for TIME seconds; KERNEL=build/debug/pollux.elf MEM=256 on the
# kernel that checks itself. Needs root.
soak: TIME ?= 3600
KERNEL	?= build/pollux.elf

$(B)/tests/cable: tests/soak/cable.c | $(call need,build)
	@mkdir -p $(@D)
	$(CC) -O2 -Wall -Wextra -Werror $< -o $@

soak: all $(KERNEL) $(B)/tests/cable $(B)/bench/load | $(call need,run) \
		$(call need,test)
	tests/soak/soak.py --time $(TIME) --kernel $(KERNEL) --mem $(MEM)

# Floods in full: 200,000 segments, 10,000 connections held (root).
test-floods: all $(B)/flood | $(call need,run) $(call need,test)
	FLOODS=full /usr/bin/python3 -m pytest -q tests/e2e/test_floods.py

# Allocations that fail: so many in boot, all of the ABI tests, a server.
FAULTS	?= 1000

.PHONY: test-memory
test-memory: build/debug/pollux.elf $(B)/tests/abi | $(call need,run) \
		$(call need,test)
	FAULTS=$(FAULTS) /usr/bin/python3 -m pytest -q -s \
		tests/security/test_failing_memory.py

# What is shipped, built twice in two places: equal to the byte.
.PHONY: reproduce
reproduce: all iso disk
	tools/reproduce

# Kills guests with a disk and a share, TIMES each, and cuts their power.
TIMES	?= 200

test-crash: disk $(B)/tests/records $(B)/tests/disk | $(call need,run) $(call need,test) \
		servers
	TIMES=$(TIMES) CUTS=$(TIMES) /usr/bin/python3 -m pytest -q \
		tests/e2e/test_crash.py tests/servers/test_lasting.py

# Worlds drawn from seeds (tests/sim/); SEED=n runs one again and shows it.
SEEDS	?= 10000
SIM_ARGS ?= $(if $(SEED),--seed $(SEED),--seeds $(SEEDS))

sim: | $(call need,unit) $(LWIP_HERE)
	@$(MAKE) --no-print-directory -f tests/sim/Makefile \
		LWIP_DIR=$(LWIP_DIR)
	@$(B)/sim/sim $(SIM_ARGS) --dir $(B)/sim

# libFuzzer on net/ from the Ethernet frame up (tests/fuzz/).
SECONDS	?= 30

# Lines of net/tcp/ and net/ip/ that unit tests, scripts and worlds run.
COV	:= $(B)/coverage
COV_TESTS := $(notdir $(basename $(shell grep -lE 'sources:.*(tcp|lwip)|net/ip' \
	   tests/unit/test_*.c)))
COV_SEEDS ?= 300

coverage: | $(call need,unit) $(LWIP_HERE)
	$(Q)find $(COV) -name '*.gcda' -delete 2>/dev/null || true
	$(Q)$(MAKE) --no-print-directory -f tests/unit/Makefile B=$(COV)/unit \
		UNIT_CFLAGS=--coverage \
		LDFLAGS='--coverage -fsanitize=address,undefined -Wl,--gc-sections' $(COV_TESTS:%=$(COV)/unit/%)
	$(Q)tests/unit/run $(COV_TESTS:%=$(COV)/unit/%)
	$(Q)$(MAKE) --no-print-directory -f tests/sim/Makefile B=$(COV)/sim \
		SAN='--coverage -Wno-maybe-uninitialized'
	$(Q)$(COV)/sim/sim --seeds $(COV_SEEDS) --dir $(COV)/sim
	$(Q)tools/coverage $(COV)/unit $(COV)/sim

fuzz: | $(call need,unit) $(call need,fuzz) $(LWIP_HERE)
	@$(MAKE) --no-print-directory -f tests/fuzz/Makefile \
		LWIP_DIR=$(LWIP_DIR) SECONDS=$(SECONDS) run

# What must hold before a change joins the main line.
land-check: objs $(if $(wildcard linker.ld),all) unit check

# What of Linux there is, and which test tries it, as Markdown.
syscalls:
	@tools/syscalls.py

# ---- Set-up ----------------------------------------------------------------
$(B)/.need-%: Makefile
	@mkdir -p $(@D)
	@tools/need $(NEED_$*)
	@touch $@

# The pollux command, its kernel and the tools that it calls.
PREFIX	?= /usr/local
LIB	:= $(DESTDIR)$(PREFIX)/lib/pollux

install: all disk
	install -D tools/pollux $(DESTDIR)$(PREFIX)/bin/pollux
	install -D -m 644 $(B)/pollux.elf $(LIB)/pollux.elf
	install -D -m 644 $(B)/pollux-disk.elf $(LIB)/pollux-disk.elf
	install -D -m 644 boot/grub.cfg $(LIB)/boot/grub.cfg
	install -D -m 644 kernel/trace.h $(LIB)/kernel/trace.h
	install -d $(LIB)/tools/gdb
	install tools/mkiso $(LIB)/tools
	install -m 644 tools/*.py $(LIB)/tools
	install -m 644 tools/gdb/*.py $(LIB)/tools/gdb
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	tools/pollux completion bash \
		>$(DESTDIR)$(PREFIX)/share/bash-completion/completions/pollux

clean:
	rm -rf $(B)

help:
	@echo 'make              the kernel, the programs, the initramfs'
	@echo 'make run          boot and serve; PROG=echo|hello BOOT=kernel|iso'
	@echo '                  MACHINE=pc|q35|microvm MEM= PORT= ACCEL=tcg|kvm'
	@echo '                  ARGS="more kernel command line -- for the program"'
	@echo 'make gdb          the same, stopped at start_kernel in gdb'
	@echo 'make record       run, and record it with all network input, until Ctrl-C'
	@echo 'make replay       that run again, in gdb, which can also go backwards'
	@echo 'make watch        a page that draws the live kernel, of the guest that make'
	@echo '                  run has started or of one of its own; HTTP=8000'
	@echo 'make core         an ELF core of the guest that make run has started, for'
	@echo '                  tools/gdb-core; make run CORE=F.core: a panic writes one'
	@echo 'tools/trace.py    where an echo spends its time; wants a guest run with'
	@echo '                  ARGS=trace=all; PCAP=F captures its frames'
	@echo 'make iso          build/pollux.iso, boots on any BIOS through GRUB'
	@echo 'make disk         build/pollux-disk.elf: the kernel with files that last,'
	@echo '                  shares of the host and disks (docs/files.md)'
	@echo 'make test         every suite; ends with what passed and failed'
	@echo 'make test-boots   addresses and secrets of BOOTS=100 boots'
	@echo 'make test-floods  floods in full, while a client is served (root)'
	@echo 'make test-crash   kills guests in the middle of their writes, TIMES=200'
	@echo 'make test-debug   what runs guests, on a kernel that checks itself (DEBUG=1)'
	@echo 'make test-memory  allocations that fail, FAULTS=1000 of them in boot'
	@echo 'make reproduce    builds twice, in two places; every byte must be equal'
	@echo 'make soak         a mixed load for TIME=3600 seconds (root); KERNEL='
	@echo 'make unit check   host unit tests; style and layer rules'
	@echo 'make mutate       takes out one protection after the other: tests must fail'
	@echo 'make lint         clang, its lock analysis, cppcheck, gcc -fanalyzer, clang-tidy'
	@echo 'make stress-epoll  epoll under random changes: OPS=1000000 SEED=1'
	@echo 'make coverage     lines of TCP and IP that unit tests and sim run'
	@echo 'make fuzz-syscalls  random system calls on that kernel: TIME=600 SEED=1'
	@echo 'make sim          TCP in simulated worlds: SEEDS=n; SEED=s replays one'
	@echo 'make fuzz         libFuzzer on the network: SECONDS=30'
	@echo 'make bench        Pollux beside a Linux guest, in turn: one table (root);'
	@echo '                  ROUNDS=3 PARTS="rates insns ..." BENCH=native'
	@echo 'make bench-bulk   instructions for each byte of bulk data (root)'
	@echo 'make bench-pollux  Pollux alone: WHAT="boot memory size insns idle"'
	@echo 'make bench-links  beside the Linux guest over bad links (root);'
	@echo '                  CELLS="1,20 reorder"'
	@echo 'make bench-trace  what tracepoints that are off cost (root)'
	@echo 'make bench-epoll  instructions of its calls: WATCHES="10 10000 1000000"'
	@echo 'make bench-million  a million connections, what each costs (root);'
	@echo '                  CONNS=n, or FLAT="0 1000 10000" idle ones beside an echo'
	@echo 'make install      the command pollux (PREFIX=/usr/local), which boots any'
	@echo '                  Linux server; tools/pollux is the same from here'
	@echo 'make syscalls     which system calls there are, and their tests'
	@echo 'make clean        remove build/'
	@echo 'SETUP=no leaves packages alone; LWIP_DIR= takes another lwIP; V=1 shows.'

FORCE:
.PHONY: FORCE all objs install servers iso disk bench bench-bulk bench-pollux \
	bench-links bench-trace bench-million run run-kernel run-iso gdb \
	record replay core unit check lint mutate test test-boots test-crash \
	test-debug fuzz-syscalls sim coverage fuzz land-check test-floods \
	stress-epoll bench-epoll \
	syscalls clean help
.SECONDARY:
-include $(OBJS:.o=.d) $(DISK_OBJS:.o=.d) \
	$(E2FS_OBJS:.o=.d)
