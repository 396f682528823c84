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
#include <time.h>

#define MAX_THREADS 64u
/* How long a thread looks before it sleeps: the layers of a network follow each other faster than a sleeping thread wakes up. */
#define LOOK_NS 100000
/*
 * What a wake-up may cost: the caller a system call, on a virtual machine also an exit to the hypervisor, and as long again until the thread runs. Nobody is
 * woken for a run that the caller ends sooner alone, unless its runs alone together have taken so long.
 */
#define WAKE_NS 40000

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
	unsigned int calls;                  /* with lock: how often they were woken */
	atomic_bool waiting;                 /* the caller sleeps or is about to */
	atomic_bool stop;
	int home;                            /* processor that the workers keep away from; -1: none */
	uint64_t alone_since, alone_until;   /* of the caller: the runs that nobody was woken for, one soon after the other */
};

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void pause_thread(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* Until it is so, or long enough. */
static void look(const atomic_size_t *value, bool until_zero)
{
	uint64_t end = now() + LOOK_NS;

	do {
		for (unsigned int i = 0; i < 20; i++) {
			if (!atomic_load_explicit(value, memory_order_relaxed) == until_zero)
				return;
			pause_thread();
		}
	} while (now() < end);
}

/* Nobody who is late does harm: a task is taken only if there is one, and then fn, arg and the scratch memory are those of its run. */
static bool take_task(struct pool *p, const struct worker *w)
{
	size_t left = atomic_load(&p->untaken);

	while (left && !atomic_compare_exchange_weak(&p->untaken, &left, left - 1))
		;
	if (!left)
		return false;
	p->fn(p->arg, left - 1, w->scratch);
	if (atomic_fetch_sub(&p->undone, 1) == 1 && atomic_load(&p->waiting)) {
		pthread_mutex_lock(&p->lock);
		pthread_cond_signal(&p->done);
		pthread_mutex_unlock(&p->lock);
	}
	return true;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct pool *p = w->pool;

	while (!atomic_load(&p->stop)) {
		while (take_task(p, w))
			;
		look(&p->untaken, false);
		if (atomic_load(&p->untaken))
			continue;
		/* told before the last look: pool_run() either is seen by it or sees who sleeps */
		atomic_fetch_add(&p->sleeping, 1);
		pthread_mutex_lock(&p->lock);
		/* who was called looks again, even if the caller has done everything meanwhile: its next run may come now */
		for (unsigned int calls = p->calls; !atomic_load(&p->stop) && !atomic_load(&p->untaken) && p->calls == calls;)
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
	p->home = -1;
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

/*
 * Keeps the workers away from the caller's processor: a scheduler likes to put who is woken beside who wakes, and moves neither before its next tick, so that
 * two threads take turns on one processor for milliseconds while others are idle.
 */
static void spread(struct pool *p)
{
	int here = sched_getcpu();
	cpu_set_t set;

	if (here == p->home || here < 0 || sched_getaffinity(0, sizeof(set), &set) || CPU_COUNT(&set) < 2)
		return;
	p->home = here;
	CPU_CLR(here, &set);
	/* a wish: who does not get it is slower, not wrong */
	for (unsigned int i = 1; i < p->nstarted; i++)
		pthread_setaffinity_np(p->workers[i].thread, sizeof(set), &set);
}

static void wake(struct pool *p)
{
	spread(p);
	pthread_mutex_lock(&p->lock);
	p->calls++;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
}

/* While workers sleep, the caller takes tasks alone, until the rest of them, or what it has done alone lately, is worth a wake-up. */
static void begin_alone(struct pool *p, size_t n)
{
	uint64_t start = now(), t = start;

	if (t - p->alone_until > LOOK_NS)
		p->alone_since = t;
	for (size_t done = 0; done < n && atomic_load(&p->sleeping); done++) {
		if (t - p->alone_since > WAKE_NS || (done && (t - start) / done * (n - done) > WAKE_NS)) {
			wake(p);
			break;
		}
		if (!take_task(p, &p->workers[0]))
			break;
		t = now();
	}
	p->alone_until = t;
}

void pool_run(struct pool *p, size_t n, void (*fn)(void *arg, size_t task, void *scratch), void *arg)
{
	/* counting for others waits for all stores of a task */
	if (p->nstarted == 1) {
		for (size_t t = n; t-- > 0;)
			fn(arg, t, p->workers[0].scratch);
		return;
	}
	p->fn = fn;
	p->arg = arg;
	atomic_store(&p->undone, n);
	atomic_store(&p->untaken, n);
	if (n > 1 && atomic_load(&p->sleeping)) {
		/* a task a thread: they may wait for each other, and the first tells nothing of the rest in time */
		if (n <= p->nstarted)
			wake(p);
		else
			begin_alone(p, n);
	}
	while (take_task(p, &p->workers[0]))
		;
	look(&p->undone, true);
	if (!atomic_load(&p->undone))
		return;
	atomic_store(&p->waiting, true);
	pthread_mutex_lock(&p->lock);
	while (atomic_load(&p->undone))
		pthread_cond_wait(&p->done, &p->lock);
	pthread_mutex_unlock(&p->lock);
	atomic_store(&p->waiting, false);
}
