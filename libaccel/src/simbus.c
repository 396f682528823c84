// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <eie_hw.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "simbus.h"

/* Reserved, not used: pages take host memory when they are touched. */
#define ARENA_BYTES ((size_t)8 << 30)
#define ARENA_PAGES (ARENA_BYTES / SIMBUS_PAGE)

struct failure {
	struct failure *next;
	uint64_t first, last;
	bool reads, writes;
};

struct simbus {
	uint8_t *arena;
	uint8_t *used;       /* a flag a page */
	struct failure *failures;
};

int simbus_new(struct simbus **out)
{
	struct simbus *bus = calloc(1, sizeof(*bus));

	if (!bus)
		return -ENOMEM;
	bus->used = calloc(ARENA_PAGES, 1);
	bus->arena = mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (!bus->used || bus->arena == MAP_FAILED) {
		if (bus->arena != MAP_FAILED)
			munmap(bus->arena, ARENA_BYTES);
		free(bus->used);
		free(bus);
		return -ENOMEM;
	}
	*out = bus;
	return 0;
}

void simbus_free(struct simbus *bus)
{
	if (!bus)
		return;
	simbus_fail_none(bus);
	munmap(bus->arena, ARENA_BYTES);
	free(bus->used);
	free(bus);
}

/* First fit. */
int simbus_alloc(struct simbus *bus, size_t size, size_t align, uint64_t *addr)
{
	size_t pages = (size + SIMBUS_PAGE - 1) / SIMBUS_PAGE, step = align / SIMBUS_PAGE;

	for (size_t first = 0; first < ARENA_PAGES && pages <= ARENA_PAGES - first;) {
		const uint8_t *taken = memrchr(bus->used + first, 1, pages);

		if (!taken) {
			memset(bus->used + first, 1, pages);
			*addr = SIMBUS_BASE + (uint64_t)first * SIMBUS_PAGE;
			return 0;
		}
		first = ((size_t)(taken - bus->used) / step + 1) * step;
	}
	return -ENOMEM;
}

void simbus_release(struct simbus *bus, uint64_t addr, size_t size)
{
	size_t first = (addr - SIMBUS_BASE) / SIMBUS_PAGE, pages = (size + SIMBUS_PAGE - 1) / SIMBUS_PAGE;

	memset(bus->used + first, 0, pages);
	/* Gives the memory back; it reads as zero when it is used again. */
	if (madvise(bus->arena + first * SIMBUS_PAGE, pages * SIMBUS_PAGE, MADV_DONTNEED))
		memset(bus->arena + first * SIMBUS_PAGE, 0, pages * SIMBUS_PAGE);
}

void *simbus_ptr(const struct simbus *bus, uint64_t addr, size_t len)
{
	uint64_t offset = addr - SIMBUS_BASE;

	if (addr < SIMBUS_BASE || offset >= ARENA_BYTES || len > ARENA_BYTES - offset)
		return NULL;
	if (len && memchr(bus->used + offset / SIMBUS_PAGE, 0, (offset + len - 1) / SIMBUS_PAGE - offset / SIMBUS_PAGE + 1))
		return NULL;
	return bus->arena + offset;
}

int simbus_fail(struct simbus *bus, uint64_t addr, uint64_t size, bool reads, bool writes)
{
	struct failure *f = malloc(sizeof(*f));

	if (!f)
		return -ENOMEM;
	*f = (struct failure){ bus->failures, addr, addr + size - 1, reads, writes };
	bus->failures = f;
	return 0;
}

void simbus_fail_none(struct simbus *bus)
{
	while (bus->failures) {
		struct failure *f = bus->failures;

		bus->failures = f->next;
		free(f);
	}
}

static void *access_ptr(const struct simbus *bus, uint64_t addr, size_t len, bool write)
{
	for (const struct failure *f = bus->failures; f; f = f->next)
		if ((write ? f->writes : f->reads) && addr <= f->last && addr + len - 1 >= f->first)
			return NULL;
	return simbus_ptr(bus, addr, len);
}

int simbus_read(const struct simbus *bus, uint64_t addr, void *buf, size_t len)
{
	const void *p = access_ptr(bus, addr, len, false);

	if (!p)
		return -1;
	memcpy(buf, p, len);
	return 0;
}

int simbus_write(const struct simbus *bus, uint64_t addr, const void *buf, size_t len)
{
	void *p = access_ptr(bus, addr, len, true);

	if (!p)
		return -1;
	memcpy(p, buf, len);
	return 0;
}

/* --------------------------------------------------------------- page tables */

static uint64_t pte_addr(uint64_t pte)
{
	return (pte >> EIE_PTE_PPN_LSB & (((uint64_t)1 << EIE_PTE_PPN_BITS) - 1)) * SIMBUS_PAGE;
}

static uint64_t make_pte(uint64_t addr, uint64_t flags)
{
	return addr / SIMBUS_PAGE << EIE_PTE_PPN_LSB | flags;
}

static bool is_table(uint64_t pte)
{
	return (pte & (EIE_PTE_V | EIE_PTE_R | EIE_PTE_W)) == EIE_PTE_V;
}

static uint64_t *table_entry(struct simbus *bus, uint64_t table, uint64_t va, int level)
{
	uint64_t *t = simbus_ptr(bus, table, SIMBUS_PAGE);

	return t ? &t[va >> (12 + 9 * level) & 511] : NULL;
}

uint64_t *sv39_entry(struct simbus *bus, uint64_t root, uint64_t va, int level)
{
	uint64_t table = root;

	for (int l = 2; l > level; l--) {
		const uint64_t *e = table_entry(bus, table, va, l);

		if (!e || !is_table(*e))
			return NULL;
		table = pte_addr(*e);
	}
	return table_entry(bus, table, va, level);
}

/* A table that no page is left in makes room for a large page. */
static void drop_empty_table(struct simbus *bus, uint64_t *entry)
{
	static const uint64_t nothing[SIMBUS_PAGE / sizeof(uint64_t)];
	const uint64_t *table = is_table(*entry) ? simbus_ptr(bus, pte_addr(*entry), SIMBUS_PAGE) : NULL;

	if (!table || memcmp(table, nothing, SIMBUS_PAGE))
		return;
	simbus_release(bus, pte_addr(*entry), SIMBUS_PAGE);
	*entry = 0;
}

static int map_page(struct simbus *bus, uint64_t root, uint64_t va, uint64_t addr, int level, uint64_t flags)
{
	uint64_t *e;

	for (int l = 2; l > level; l--) {
		uint64_t table;

		e = sv39_entry(bus, root, va, l);
		if (*e & EIE_PTE_V)
			continue;
		if (simbus_alloc(bus, SIMBUS_PAGE, SIMBUS_PAGE, &table))
			return -ENOMEM;
		*e = make_pte(table, EIE_PTE_V);
	}
	e = sv39_entry(bus, root, va, level);
	if (e && level)
		drop_empty_table(bus, e);
	if (!e || *e & EIE_PTE_V)
		return -EEXIST;
	*e = make_pte(addr, flags);
	return 0;
}

int sv39_map(struct simbus *bus, uint64_t root, uint64_t va, uint64_t addr, size_t size, uint64_t flags)
{
	uint64_t done = 0;

	while (done < size) {
		bool large = ((va + done) | (addr + done)) % SIMBUS_LARGE_PAGE == 0 && size - done >= SIMBUS_LARGE_PAGE;
		int ret = map_page(bus, root, va + done, addr + done, large, flags);

		if (ret) {
			sv39_unmap(bus, root, va, done);
			return ret;
		}
		done += large ? SIMBUS_LARGE_PAGE : SIMBUS_PAGE;
	}
	return 0;
}

void sv39_unmap(struct simbus *bus, uint64_t root, uint64_t va, size_t size)
{
	for (uint64_t done = 0; done < size;) {
		uint64_t *e = sv39_entry(bus, root, va + done, 1);
		bool large = e && *e & EIE_PTE_V && !is_table(*e);

		if (!large)
			e = sv39_entry(bus, root, va + done, 0);
		if (e)
			*e = 0;
		done += large ? SIMBUS_LARGE_PAGE : SIMBUS_PAGE;
	}
}

static void free_table(struct simbus *bus, uint64_t table, int level)
{
	const uint64_t *entries = simbus_ptr(bus, table, SIMBUS_PAGE);

	/* A test may have written entries that lead nowhere. */
	if (!entries)
		return;
	for (int i = 0; level && i < 512; i++)
		if (is_table(entries[i]))
			free_table(bus, pte_addr(entries[i]), level - 1);
	simbus_release(bus, table, SIMBUS_PAGE);
}

void sv39_free(struct simbus *bus, uint64_t root)
{
	free_table(bus, root, 2);
}
