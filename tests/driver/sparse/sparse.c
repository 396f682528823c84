// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Exporter of dma-bufs that are larger than the memory: every 2 MiB of one are the same 2 MiB. ioctl(fd, 0, n) on /dev/sparse
 * returns a dma-buf of n times 2 MiB. With it the end of a device's address space can be reached (test_space.c).
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#define BLOCK	SZ_2M

static struct sg_table *sparse_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct page *pages = attach->dmabuf->priv;
	struct scatterlist *sg;
	struct sg_table *sgt;
	dma_addr_t addr;
	int i, ret;

	sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	if (!sgt)
		return ERR_PTR(-ENOMEM);
	ret = sg_alloc_table(sgt, attach->dmabuf->size / BLOCK, GFP_KERNEL);
	if (ret)
		goto err_free;
	/* once: the DMA API does not like the same page in many mappings */
	addr = dma_map_page(attach->dev, pages, 0, BLOCK, dir);
	ret = dma_mapping_error(attach->dev, addr);
	if (ret)
		goto err_table;
	for_each_sgtable_sg(sgt, sg, i) {
		sg_set_page(sg, pages, BLOCK, 0);
		sg_dma_address(sg) = addr;
		sg_dma_len(sg) = BLOCK;
	}
	return sgt;

err_table:
	sg_free_table(sgt);
err_free:
	kfree(sgt);
	return ERR_PTR(ret);
}

static void sparse_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt, enum dma_data_direction dir)
{
	dma_unmap_page(attach->dev, sg_dma_address(sgt->sgl), BLOCK, dir);
	sg_free_table(sgt);
	kfree(sgt);
}

static void sparse_release(struct dma_buf *dmabuf)
{
	__free_pages(dmabuf->priv, get_order(BLOCK));
}

static const struct dma_buf_ops sparse_ops = {
	.map_dma_buf = sparse_map,
	.unmap_dma_buf = sparse_unmap,
	.release = sparse_release,
};

static long sparse_ioctl(struct file *file, unsigned int cmd, unsigned long blocks)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;
	struct page *pages;
	int fd;

	if (cmd || !blocks || blocks > SZ_1M)
		return -EINVAL;
	pages = alloc_pages(GFP_KERNEL | __GFP_ZERO, get_order(BLOCK));
	if (!pages)
		return -ENOMEM;
	info.ops = &sparse_ops;
	info.size = blocks * BLOCK;
	info.flags = O_RDWR;
	info.priv = pages;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf)) {
		__free_pages(pages, get_order(BLOCK));
		return PTR_ERR(dmabuf);
	}
	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (fd < 0)
		dma_buf_put(dmabuf);
	return fd;
}

static const struct file_operations sparse_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = sparse_ioctl,
};

static struct miscdevice sparse_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "sparse",
	.fops = &sparse_fops,
};
module_misc_device(sparse_device);

MODULE_IMPORT_NS(DMA_BUF);
MODULE_DESCRIPTION("dma-bufs larger than the memory, for tests");
MODULE_LICENSE("Dual MIT/GPL");
