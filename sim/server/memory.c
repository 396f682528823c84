// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "memory.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int memory_map(struct memory *mem, uint64_t addr, uint64_t user, uint64_t size, int fd, uint64_t offset)
{
	const uint64_t page = sysconf(_SC_PAGESIZE);
	struct memory_region *new = &mem->region[mem->nregions];
	struct stat st;
	void *host;

	if (!size || addr + size < addr || user + size < user || offset + size < offset || (addr | size | offset) % page)
		return -EINVAL;
	for (unsigned int i = 0; i < mem->nregions; i++) {
		if (addr < mem->region[i].addr + mem->region[i].size && mem->region[i].addr < addr + size)
			return -EINVAL;
	}
	if (mem->nregions == MEMORY_REGIONS)
		return -ENOSPC;
	/* beyond the end of the file there would be SIGBUS later */
	if (fstat(fd, &st))
		return -errno;
	if (st.st_size < 0 || (uint64_t)st.st_size < offset + size)
		return -EINVAL;
	host = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset);
	if (host == MAP_FAILED)
		return -errno;
	*new = (struct memory_region){ .addr = addr, .user = user, .size = size, .host = host };
	mem->nregions++;
	return 0;
}

int memory_unmap(struct memory *mem, uint64_t addr, uint64_t size)
{
	if (addr + size < addr)
		return -EINVAL;
	for (unsigned int i = 0; i < mem->nregions; i++) {
		const struct memory_region *r = &mem->region[i];
		bool touches = r->addr < addr + size && addr < r->addr + r->size;

		if (touches && (r->addr < addr || r->addr + r->size > addr + size))
			return -EINVAL;
	}
	for (unsigned int i = mem->nregions; i-- > 0;) {
		struct memory_region *r = &mem->region[i];

		if (r->addr >= addr + size || addr >= r->addr + r->size)
			continue;
		munmap(r->host, r->size);
		*r = mem->region[--mem->nregions];
	}
	return 0;
}

void memory_unmap_all(struct memory *mem)
{
	while (mem->nregions) {
		mem->nregions--;
		munmap(mem->region[mem->nregions].host, mem->region[mem->nregions].size);
	}
}

void *memory_at(const struct memory *mem, uint64_t addr, uint64_t len)
{
	for (unsigned int i = 0; i < mem->nregions; i++) {
		const struct memory_region *r = &mem->region[i];

		if (addr >= r->addr && len <= r->size && addr - r->addr <= r->size - len)
			return r->host + (addr - r->addr);
	}
	return NULL;
}

void *memory_at_user(const struct memory *mem, uint64_t user, uint64_t len)
{
	for (unsigned int i = 0; i < mem->nregions; i++) {
		const struct memory_region *r = &mem->region[i];

		if (user >= r->user && len <= r->size && user - r->user <= r->size - len)
			return r->host + (user - r->user);
	}
	return NULL;
}

int memory_read(const struct memory *mem, uint64_t addr, void *buf, size_t len)
{
	const uint8_t *from = memory_at(mem, addr, len);
	uint8_t *to = buf;

	if (!from)
		return -1;
	while (len) {
		if ((uintptr_t)from % 8 == 0 && len >= 8) {
			uint64_t v = __atomic_load_n((const uint64_t *)from, __ATOMIC_ACQUIRE);

			memcpy(to, &v, 8);
			from += 8;
			to += 8;
			len -= 8;
		} else {
			*to++ = __atomic_load_n(from++, __ATOMIC_ACQUIRE);
			len--;
		}
	}
	return 0;
}

int memory_write(const struct memory *mem, uint64_t addr, const void *buf, size_t len)
{
	uint8_t *to = memory_at(mem, addr, len);
	const uint8_t *from = buf;

	if (!to)
		return -1;
	while (len) {
		if ((uintptr_t)to % 8 == 0 && len >= 8) {
			uint64_t v;

			memcpy(&v, from, 8);
			__atomic_store_n((uint64_t *)to, v, __ATOMIC_RELEASE);
			from += 8;
			to += 8;
			len -= 8;
		} else {
			__atomic_store_n(to++, *from++, __ATOMIC_RELEASE);
			len--;
		}
	}
	return 0;
}
