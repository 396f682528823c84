// SPDX-License-Identifier: GPL-2.0
/* A module that does one thing wrong, to see that the test machines notice. */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

static char *kind = "";
module_param(kind, charp, 0);

static DEFINE_MUTEX(a);
static DEFINE_MUTEX(b);
static DEFINE_SPINLOCK(spin);

static void lock_both(struct mutex *first, struct mutex *second)
{
	mutex_lock(first);
	mutex_lock(second);
	mutex_unlock(second);
	mutex_unlock(first);
}

static int __init broken_init(void)
{
	char *volatile p;

	if (!strcmp(kind, "warning")) {
		WARN(1, "on purpose\n");
	} else if (!strcmp(kind, "error")) {
		pr_err("on purpose\n");
	} else if (!strcmp(kind, "overflow")) {
		p = kmalloc(40, GFP_KERNEL);
		if (p)
			p[40] = 1;
		kfree(p);
	} else if (!strcmp(kind, "leak")) {
		for (int i = 0; i < 16; i++) {
			p = kmalloc(100, GFP_KERNEL);
			if (p)
				memset(p, i, 100);
		}
		p = NULL;
	} else if (!strcmp(kind, "deadlock")) {
		lock_both(&a, &b);
		lock_both(&b, &a);
	} else if (!strcmp(kind, "atomic")) {
		spin_lock(&spin);
		mutex_lock(&a);
		mutex_unlock(&a);
		spin_unlock(&spin);
	} else if (!strcmp(kind, "oops")) {
		p = NULL;
		*p = 1;
	} else {
		return -EINVAL;
	}
	return 0;
}

static void __exit broken_exit(void)
{
}

module_init(broken_init);
module_exit(broken_exit);
MODULE_DESCRIPTION("Does one thing wrong, for the tests of the test machines");
MODULE_LICENSE("GPL");
