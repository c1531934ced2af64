/* All drivers, in the order in which the machine must meet them. */
#pragma once

/* The console and the way out. Boot, before everything else. */
void drivers_early_init(void);

/*
 * Finds and starts the devices: serial input, virtio-rng, virtio-net. Task
 * context; needs memory, interrupts, timers and the network's device layer.
 * A machine without a network card gets a message, not a stop.
 */
void drivers_init(void);

/* What drivers need to do while the kernel may still be changed. Boot. */
void virtio_drivers_init(void);
