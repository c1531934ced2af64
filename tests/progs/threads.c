/*
 * Threads as the C library makes them: by clone3() under glibc, by clone()
 * under musl. Each has its stack, its thread-local storage, its name.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>

#define THREADS 8

static __thread long mine = 7;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long sum;

static void *work(void *arg)
{
	char name[16] = "";

	mine += (long)arg;
	pthread_setname_np(pthread_self(), "worker");
	pthread_getname_np(pthread_self(), name, sizeof(name));
	for (int i = 0; i < 100; i++) {
		pthread_mutex_lock(&mutex);
		sum += mine + (name[0] != 'w') + sched_getcpu();
		pthread_mutex_unlock(&mutex);
		sched_yield();
	}
	return (void *)mine;
}

int main(void)
{
	pthread_t thread[THREADS];
	void *result;
	long total = 0;

	for (long i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, work, (void *)i))
			return 1;
	for (int i = 0; i < THREADS; i++) {
		pthread_join(thread[i], &result);
		total += (long)result;
	}
	printf("sum %ld, results %ld, mine %ld\n", sum, total, mine);
	return 0;
}
