// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Threads that share loops: every task once, whoever sleeps, and no task of an earlier run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "pool.h"

#define TASKS 300

struct run {
	unsigned int number;
	atomic_uint done[TASKS];
};

static void count(void *arg, size_t task, void *scratch)
{
	struct run *run = arg;

	/* a scratch of its own: nobody else changes it meanwhile */
	memset(scratch, (int)(run->number + task), 64);
	for (unsigned int i = 0; i < 64; i++)
		if (((unsigned char *)scratch)[i] != (unsigned char)(run->number + task))
			abort();   /* cmocka can fail in its own thread only */
	atomic_fetch_add(&run->done[task], 1);
}

static void test_every_task_once(void **state)
{
	static const unsigned int threads[] = { 1, 2, 3, 8 };

	(void)state;
	for (size_t t = 0; t < sizeof(threads) / sizeof(threads[0]); t++) {
		struct pool *pool = pool_new(threads[t]);

		assert_non_null(pool);
		assert_int_equal(pool_threads(pool), threads[t]);
		assert_int_equal(pool_reserve(pool, 64), 0);
		for (unsigned int i = 0; i < 3000; i++) {
			struct run run = { .number = i };   /* on the stack: a late task would find another one there */
			size_t n = i % 7 == 0 ? TASKS : i % 5;

			pool_run(pool, n, count, &run);
			for (size_t k = 0; k < TASKS; k++)
				assert_int_equal(run.done[k], k < n);
			if (i % 500 == 0)
				nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);   /* all sleep */
		}
		pool_free(pool);
	}
}

static void slow(void *arg, size_t task, void *scratch)
{
	(void)scratch;
	nanosleep(&(struct timespec){ .tv_nsec = 2000000 + 1000000 * (long)task }, NULL);
	atomic_fetch_add((atomic_uint *)arg, 1);
}

/* Longer than the caller looks before it sleeps. */
static void test_slow_tasks(void **state)
{
	struct pool *pool = pool_new(3);

	(void)state;
	for (unsigned int i = 0; i < 20; i++) {
		atomic_uint done = 0;

		pool_run(pool, 4, slow, &done);
		assert_int_equal(done, 4);
	}
	pool_free(pool);
}

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void nothing(void *arg, size_t task, void *scratch)
{
	(void)arg;
	(void)task;
	(void)scratch;
}

static void test_idle_threads_sleep(void **state)
{
	struct pool *pool = pool_new(4);
	double before;

	(void)state;
	pool_run(pool, 100, nothing, NULL);
	nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
	before = cpu_seconds();
	nanosleep(&(struct timespec){ .tv_nsec = 300000000 }, NULL);
	assert_true(cpu_seconds() - before < 0.05);
	pool_free(pool);
}

static volatile sig_atomic_t caught;

static void on_signal(int number)
{
	caught = number;
}

/* A signal that the caller holds back waits: no worker takes it. */
static void test_signals_are_the_callers(void **state)
{
	const struct sigaction action = { .sa_handler = on_signal };
	struct pool *pool = pool_new(4);
	sigset_t held, before;

	(void)state;
	sigemptyset(&held);
	sigaddset(&held, SIGUSR1);
	assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
	sigprocmask(SIG_BLOCK, &held, &before);
	assert_int_equal(kill(getpid(), SIGUSR1), 0);
	for (unsigned int i = 0; i < 20; i++) {
		atomic_uint done = 0;

		pool_run(pool, 4, slow, &done);
		assert_int_equal(caught, 0);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	assert_int_equal(caught, SIGUSR1);
	pool_free(pool);
}

static void test_never_run(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 200; i++)
		pool_free(pool_new(1 + i % 4));
	pool_free(NULL);
}

struct sharing {
	pthread_t caller;
	atomic_uint others;   /* tasks that the caller did not do */
};

static void long_task(void *arg, size_t task, void *scratch)
{
	struct sharing *s = arg;

	(void)task;
	(void)scratch;
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	if (!pthread_equal(s->caller, pthread_self()))
		atomic_fetch_add(&s->others, 1);
}

/* The caller begins alone, and sees after a task that the rest is worth a wake-up. */
static void test_sleepers_are_woken(void **state)
{
	struct pool *pool = pool_new(2);
	struct sharing s = { .caller = pthread_self() };

	(void)state;
	for (unsigned int i = 0; i < 5; i++) {
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);   /* all sleep */
		pool_run(pool, 20, long_task, &s);
	}
	assert_true(s.others >= 5);
	pool_free(pool);
}

struct meeting {
	atomic_uint arrived;
};

static void meet(void *arg, size_t task, void *scratch)
{
	struct meeting *m = arg;

	(void)task;
	(void)scratch;
	atomic_fetch_add(&m->arrived, 1);
	while (atomic_load(&m->arrived) < 3)
		sched_yield();
}

/* As many tasks as threads may wait for each other. */
static void test_task_a_thread(void **state)
{
	struct pool *pool = pool_new(3);

	(void)state;
	for (unsigned int i = 0; i < 10; i++) {
		struct meeting m = { 0 };

		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
		pool_run(pool, 3, meet, &m);
		assert_int_equal(m.arrived, 3);
	}
	pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_task_once),
		cmocka_unit_test(test_slow_tasks),
		cmocka_unit_test(test_sleepers_are_woken),
		cmocka_unit_test(test_task_a_thread),
		cmocka_unit_test(test_idle_threads_sleep),
		cmocka_unit_test(test_signals_are_the_callers),
		cmocka_unit_test(test_never_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
