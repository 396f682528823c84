// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "pool.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define MAX_THREADS 64u

struct worker {
	struct pool *pool;
	pthread_t thread;
	void *scratch;
};

struct pool {
	unsigned int nthreads, nstarted;     /* workers[0] is the caller */
	struct worker workers[MAX_THREADS];
	pthread_mutex_t lock;
	pthread_cond_t work, done;
	unsigned long round;                 /* number of the run; under lock, like the rest */
	unsigned int busy;                   /* workers that have not finished the round */
	bool stop;
	void (*fn)(void *arg, size_t task, void *scratch);
	void *arg;
	size_t ntasks;
	atomic_size_t next;                  /* task that nobody has taken */
};

static void take_tasks(struct pool *p, void *scratch)
{
	for (;;) {
		size_t task = atomic_fetch_add_explicit(&p->next, 1, memory_order_relaxed);

		if (task >= p->ntasks)
			return;
		p->fn(p->arg, task, scratch);
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct pool *p = w->pool;
	unsigned long seen = 0;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		while (!p->stop && p->round == seen)
			pthread_cond_wait(&p->work, &p->lock);
		if (p->stop)
			break;
		seen = p->round;
		pthread_mutex_unlock(&p->lock);
		take_tasks(p, w->scratch);
		pthread_mutex_lock(&p->lock);
		if (!--p->busy)
			pthread_cond_signal(&p->done);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static unsigned int processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) ? 1 : (unsigned int)CPU_COUNT(&set);
}

struct pool *pool_new(unsigned int threads)
{
	struct pool *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	threads = threads ? threads : processors();
	p->nthreads = threads < 1 ? 1 : threads > MAX_THREADS ? MAX_THREADS : threads;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->work, NULL);
	pthread_cond_init(&p->done, NULL);
	/* fewer threads than wanted are slower, not wrong */
	for (p->nstarted = 1; p->nstarted < p->nthreads; p->nstarted++) {
		struct worker *w = &p->workers[p->nstarted];

		w->pool = p;
		if (pthread_create(&w->thread, NULL, work, w))
			break;
	}
	return p;
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
	for (unsigned int i = 1; i < p->nstarted; i++)
		pthread_join(p->workers[i].thread, NULL);
	for (unsigned int i = 0; i < p->nstarted; i++)
		free(p->workers[i].scratch);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->work);
	pthread_cond_destroy(&p->done);
	free(p);
}

unsigned int pool_threads(const struct pool *p)
{
	return p->nstarted;
}

int pool_reserve(struct pool *p, size_t bytes)
{
	if (bytes > SIZE_MAX - 64)
		return -ENOMEM;
	for (unsigned int i = 0; i < p->nstarted; i++) {
		free(p->workers[i].scratch);
		p->workers[i].scratch = aligned_alloc(64, (bytes + 63) / 64 * 64 + 64);
		if (!p->workers[i].scratch)
			return -ENOMEM;
	}
	return 0;
}

void pool_run(struct pool *p, size_t n, void (*fn)(void *arg, size_t task, void *scratch), void *arg)
{
	p->fn = fn;
	p->arg = arg;
	p->ntasks = n;
	atomic_store_explicit(&p->next, 0, memory_order_relaxed);
	if (n < 2 || p->nstarted < 2) {
		take_tasks(p, p->workers[0].scratch);
		return;
	}
	/* the lock orders what is above before the workers' first look at it */
	pthread_mutex_lock(&p->lock);
	p->busy = p->nstarted - 1;
	p->round++;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
	take_tasks(p, p->workers[0].scratch);
	pthread_mutex_lock(&p->lock);
	while (p->busy)
		pthread_cond_wait(&p->done, &p->lock);
	pthread_mutex_unlock(&p->lock);
}
