/*
 * virtio-blk: a disk. VIRTIO 1.2, section 5.2. One queue; each request is a
 * header, the data, and a byte that says how it went. No request is given up:
 * a disk that does not answer stops who waits for it.
 */
#include "drivers/virtio.h"
#include "drivers/virtio_call.h"
#include "fs/disk.h"
#include "kernel/errno.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/printk.h"
#include "kernel/string.h"

#define QUEUE_MAX	128u

#define F_SEG_MAX	VIRTIO_F(2)
#define F_RO		VIRTIO_F(5)
#define F_BLK_SIZE	VIRTIO_F(6)
#define F_FLUSH		VIRTIO_F(9)

#define CONF_CAPACITY	0u
#define CONF_SEG_MAX	12u
#define CONF_BLK_SIZE	20u

#define T_IN		0u
#define T_OUT		1u
#define T_FLUSH		4u
#define T_GET_ID	8u
#define ID_SIZE		20u
#define S_OK		0
#define S_NONE		0xff	/* not the device's: nothing was written */

struct virtio_blk {
	struct vcall_queue q;
	struct disk disk;
	struct virtio_device *vdev;
	u32 seg_max;			/* pieces of one request */
};

/* The ends of a request, in memory that the device may use. */
struct blk_request {
	u32 type, reserved;
	u64 sector;
	u8 status;
};

static struct virtio_blk *to_blk(struct disk *d)
{
	return container_of(d, struct virtio_blk, disk);
}

/* A request with @n pieces; 0 or -errno as the device says. */
static int request(struct virtio_blk *b, u32 type, u64 sector,
		   const struct disk_piece *pieces, unsigned int n)
{
	struct vq_buf bufs[DISK_PIECES_MAX + 2];
	struct blk_request *r = kmalloc(sizeof(*r));
	bool in = type == T_IN || type == T_GET_ID;
	struct io_call call;
	int err;

	if (!r)
		return -ENOMEM;
	*r = (struct blk_request){ .type = type, .sector = sector,
				   .status = S_NONE };
	bufs[0] = (struct vq_buf){ virt_to_phys(r), 16 };
	for (unsigned int i = 0; i < n; i++)
		bufs[i + 1] = (struct vq_buf){ virt_to_phys(pieces[i].mem),
					       pieces[i].len };
	bufs[n + 1] = (struct vq_buf){ virt_to_phys(&r->status), 1 };
	err = vcall_send(&b->q, &call, bufs, in ? 1 : n + 1,
			 in ? n + 1 : 1);
	if (!err)
		(void)vcall_wait(&b->q, &call, false);
	if (!err)
		err = call.got < 0 || READ_ONCE(r->status) != S_OK ? -EIO : 0;
	kfree(r);
	return err;
}

static int blk_rw(struct disk *d, bool write, u64 sector,
		  const struct disk_piece *pieces, unsigned int n)
{
	struct virtio_blk *b = to_blk(d);
	u64 len = 0;
	int err = 0;

	for (unsigned int i = 0; i < n; i++)
		len += pieces[i].len;
	if (len % DISK_SECTOR || n > DISK_PIECES_MAX ||
	    sector > d->sectors || len / DISK_SECTOR > d->sectors - sector)
		return -EINVAL;
	if (write && d->read_only)
		return -EROFS;
	while (n && !err) {
		unsigned int part = min(n, b->seg_max);

		err = request(b, write ? T_OUT : T_IN, sector, pieces, part);
		for (; part--; n--)
			sector += pieces++->len / DISK_SECTOR;
	}
	return err;
}

static int blk_flush(struct disk *d)
{
	struct virtio_blk *b = to_blk(d);

	/* One that does not offer it has no cache that could be lost. */
	if (!virtio_has(b->vdev, F_FLUSH))
		return 0;
	return request(b, T_FLUSH, 0, NULL, 0);
}

static u64 choose(struct virtio_device *vdev, u64 offered)
{
	(void)vdev;
	return offered & (F_SEG_MAX | F_RO | F_BLK_SIZE | F_FLUSH);
}

static void read_geometry(struct virtio_blk *b)
{
	struct disk *d = &b->disk;

	virtio_read_config(b->vdev, CONF_CAPACITY, &d->sectors,
			   sizeof(d->sectors));
	d->sectors = min(d->sectors, UINT64_MAX / DISK_SECTOR);
	d->block_size = DISK_SECTOR;
	if (virtio_has(b->vdev, F_BLK_SIZE))
		virtio_read_config(b->vdev, CONF_BLK_SIZE, &d->block_size,
				   sizeof(d->block_size));
	b->seg_max = 1;
	if (virtio_has(b->vdev, F_SEG_MAX))
		virtio_read_config(b->vdev, CONF_SEG_MAX, &b->seg_max,
				   sizeof(b->seg_max));
	b->seg_max = min(max(b->seg_max, 1u), DISK_PIECES_MAX);
	d->read_only = virtio_has(b->vdev, F_RO);
}

/* What the host calls it; it need not have a name. */
static void read_serial(struct virtio_blk *b)
{
	struct disk_piece piece = { kzalloc(ID_SIZE), ID_SIZE };

	if (piece.mem && !request(b, T_GET_ID, 0, &piece, 1))
		memcpy(b->disk.serial, piece.mem, ID_SIZE);
	kfree(piece.mem);
}

static int virtio_blk_probe(struct virtio_device *vdev)
{
	struct virtio_blk *b = kzalloc(sizeof(*b));
	int err = -ENOMEM;

	if (!b)
		goto failed;
	b->vdev = vdev;
	b->disk.rw = blk_rw;
	b->disk.flush = blk_flush;
	err = virtio_negotiate(vdev, choose);
	if (err)
		goto free;
	read_geometry(b);
	err = -EINVAL;
	if (b->disk.block_size < DISK_SECTOR || b->disk.block_size > 4096 ||
	    b->disk.block_size & (b->disk.block_size - 1))
		goto unbind;
	err = vcall_setup(&b->q, vdev, 0, QUEUE_MAX);
	if (err)
		goto unbind;
	virtio_device_ready(vdev);
	read_serial(b);
	disk_register(&b->disk);
	return 0;

unbind:
	vdev->ops->set_status(vdev, 0);
	vdev->ops->unbind(vdev);
free:
	kfree(b);
failed:
	pr_warn("%s: disk not started (error %d)\n", vdev->name, -err);
	return err;
}
VIRTIO_DRIVER(VIRTIO_ID_BLOCK, virtio_blk_probe, NULL);
