// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "cpu_fc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)

const struct cpu_fc_level *const cpu_fc_levels[] = {
#if defined(__x86_64__)
	&cpu_fc_avx512,
	&cpu_fc_avxvnni,
	&cpu_fc_avx2,
#elif defined(__aarch64__) && defined(__AARCH64EL__)
	&cpu_fc_neon,
#endif
	&cpu_fc_portable,
	NULL,
};

int cpu_fc_level(const char *name, const struct cpu_fc_level **level, struct accel_error *err)
{
	char names[64] = "";

	for (unsigned int i = 0; cpu_fc_levels[i]; i++) {
		const struct cpu_fc_level *l = cpu_fc_levels[i];

		if (name && strcmp(name, l->name)) {
			strcat(strcat(names, i ? ", " : ""), l->name);
			continue;
		}
		if (l->usable()) {
			*level = l;
			return 0;
		}
		if (name)
			return accel_fail(err, -ENOTSUP, NULL, "EIE_CPU_LEVEL: this processor does not have what level \"%s\" needs", name);
	}
	return accel_fail(err, -EINVAL, NULL, "EIE_CPU_LEVEL: there is no level \"%.32s\"; here it may be one of %s", name, names);
}

void *cpu_weights_alloc(size_t count, size_t size)
{
	size_t bytes, align = 64;
	void *p;

	if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 2)
		return NULL;
	/* a stream of weights meets a page every few hundred cycles; below a page there is nothing to gain */
	if (bytes >= HUGE_PAGE)
		align = HUGE_PAGE;
	bytes = (bytes + align) / align * align;
	p = aligned_alloc(align, bytes);
	if (!p)
		return NULL;
	if (align == HUGE_PAGE)
		(void)madvise(p, bytes, MADV_HUGEPAGE);   /* advice: small pages give the same results */
	memset(p, 0, bytes);
	return p;
}
