/*
 * virtio-9p: shares of the host. Carries 9P messages for fs/p9_client.c over
 * the device's one queue. VIRTIO has no section on it; QEMU and Linux agree:
 * the tag is in the configuration, 16 bits of length, then the bytes.
 */
#include "drivers/virtio.h"
#include "drivers/virtio_call.h"
#include "fs/p9_transport.h"
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/printk.h"
#include "kernel/string.h"

#define QUEUE_MAX	128u
#define F_MOUNT_TAG	VIRTIO_F(0)

struct virtio_9p {
	struct vcall_queue q;
	struct p9_transport t;
	struct virtio_device *vdev;
};

static struct virtio_9p *to_9p(struct p9_transport *t)
{
	return container_of(t, struct virtio_9p, t);
}

static unsigned int piece(struct vq_buf *buf, const void *mem, u32 len)
{
	if (!mem || !len)
		return 0;
	buf->addr = virt_to_phys(mem);
	buf->len = len;
	return 1;
}

static int v9p_send(struct p9_transport *t, struct p9_io *io)
{
	struct vq_buf bufs[4];
	unsigned int out, in;

	out = piece(&bufs[0], io->out, io->out_len);
	out += piece(&bufs[out], io->out2, io->out2_len);
	in = piece(&bufs[out], io->in, io->in_len);
	in += piece(&bufs[out + in], io->in2, io->in2_len);
	return vcall_send(&to_9p(t)->q, &io->call, bufs, out, in);
}

static int v9p_wait(struct p9_transport *t, struct p9_io *io, bool killable)
{
	return vcall_wait(&to_9p(t)->q, &io->call, killable);
}

static u64 choose(struct virtio_device *vdev, u64 offered)
{
	(void)vdev;
	return offered & F_MOUNT_TAG;
}

static void read_tag(struct virtio_9p *v)
{
	u16 len;

	virtio_read_config(v->vdev, 0, &len, sizeof(len));
	len = (u16)min(len, P9_TAG_MAX - 1);
	virtio_read_config(v->vdev, sizeof(len), v->t.tag, len);
	v->t.tag[len] = '\0';
}

static int virtio_9p_probe(struct virtio_device *vdev)
{
	struct virtio_9p *v = kzalloc(sizeof(*v));
	int err = -ENOMEM;

	if (!v)
		goto failed;
	v->vdev = vdev;
	v->t.send = v9p_send;
	v->t.wait = v9p_wait;
	err = virtio_negotiate(vdev, choose);
	if (err)
		goto free;
	read_tag(v);
	err = vcall_setup(&v->q, vdev, 0, QUEUE_MAX);
	if (err)
		goto unbind;
	virtio_device_ready(vdev);
	p9_register(&v->t);
	return 0;

unbind:
	vdev->ops->set_status(vdev, 0);
	vdev->ops->unbind(vdev);
free:
	kfree(v);
failed:
	pr_warn("%s: 9p share not started (error %d)\n", vdev->name, -err);
	return err;
}
VIRTIO_DRIVER(VIRTIO_ID_9P, virtio_9p_probe, NULL);
