// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "pool.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_THREADS 64u
/* Looks before a thread sleeps, tens of microseconds: the layers of a network follow each other faster than a sleeping thread wakes up. */
#define LOOKS 1000u

struct worker {
	struct pool *pool;
	pthread_t thread;
	void *scratch;
};

struct pool {
	unsigned int nthreads, nstarted;     /* workers[0] is the caller */
	struct worker workers[MAX_THREADS];
	pthread_mutex_t lock;                /* of those who sleep */
	pthread_cond_t work, done;
	/* of the run; whoever has taken a task may read them until that task is done */
	void (*fn)(void *arg, size_t task, void *scratch);
	void *arg;
	_Alignas(64) atomic_size_t untaken;  /* tasks that nobody has taken */
	_Alignas(64) atomic_size_t undone;   /* tasks that have not returned */
	atomic_uint sleeping;                /* workers that sleep or are about to */
	atomic_bool waiting;                 /* the caller sleeps or is about to */
	atomic_bool stop;
};

static void pause_thread(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* Nobody who is late does harm: a task is taken only if there is one, and then fn, arg and the scratch memory are those of its run. */
static void take_tasks(struct pool *p, const struct worker *w)
{
	size_t left = atomic_load(&p->untaken);

	while (left) {
		if (!atomic_compare_exchange_weak(&p->untaken, &left, left - 1))
			continue;
		p->fn(p->arg, left - 1, w->scratch);
		if (atomic_fetch_sub(&p->undone, 1) == 1 && atomic_load(&p->waiting)) {
			pthread_mutex_lock(&p->lock);
			pthread_cond_signal(&p->done);
			pthread_mutex_unlock(&p->lock);
		}
		left = atomic_load(&p->untaken);
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct pool *p = w->pool;

	while (!atomic_load(&p->stop)) {
		take_tasks(p, w);
		for (unsigned int i = 0; i < LOOKS && !atomic_load_explicit(&p->untaken, memory_order_relaxed); i++)
			pause_thread();
		if (atomic_load(&p->untaken))
			continue;
		/* told before the last look: pool_run() either is seen by it or sees who sleeps */
		atomic_fetch_add(&p->sleeping, 1);
		pthread_mutex_lock(&p->lock);
		while (!atomic_load(&p->stop) && !atomic_load(&p->untaken))
			pthread_cond_wait(&p->work, &p->lock);
		pthread_mutex_unlock(&p->lock);
		atomic_fetch_sub(&p->sleeping, 1);
	}
	return NULL;
}

static unsigned int processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) ? 1 : (unsigned int)CPU_COUNT(&set);
}

struct pool *pool_new(unsigned int threads)
{
	struct pool *p = aligned_alloc(_Alignof(struct pool), sizeof(*p));
	sigset_t all, before;

	if (!p)
		return NULL;
	memset(p, 0, sizeof(*p));
	threads = threads ? threads : processors();
	p->nthreads = threads < 1 ? 1 : threads > MAX_THREADS ? MAX_THREADS : threads;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->work, NULL);
	pthread_cond_init(&p->done, NULL);
	/* signals are for the caller's threads, who may hold them back: a worker would take them all the same */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	/* fewer threads than wanted are slower, not wrong */
	for (p->nstarted = 1; p->nstarted < p->nthreads; p->nstarted++) {
		struct worker *w = &p->workers[p->nstarted];

		w->pool = p;
		if (pthread_create(&w->thread, NULL, work, w))
			break;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return p;
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	atomic_store(&p->stop, true);
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
	atomic_store(&p->undone, n);
	atomic_store(&p->untaken, n);
	if (n > 1 && atomic_load(&p->sleeping)) {
		pthread_mutex_lock(&p->lock);
		pthread_cond_broadcast(&p->work);
		pthread_mutex_unlock(&p->lock);
	}
	take_tasks(p, &p->workers[0]);
	for (unsigned int i = 0; i < LOOKS && atomic_load_explicit(&p->undone, memory_order_relaxed); i++)
		pause_thread();
	if (!atomic_load(&p->undone))
		return;
	atomic_store(&p->waiting, true);
	pthread_mutex_lock(&p->lock);
	while (atomic_load(&p->undone))
		pthread_cond_wait(&p->done, &p->lock);
	pthread_mutex_unlock(&p->lock);
	atomic_store(&p->waiting, false);
}
