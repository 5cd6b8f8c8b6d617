#include "db/jobs.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

enum { THREADS_MAX = 8 };

struct hf_jobs {
    pthread_mutex_t lock;
    pthread_cond_t added, finished;
    struct hf_job *first, **last;
    bool ending;
    pthread_t threads[THREADS_MAX];
    unsigned count;
};

static void *work(void *user)
{
    struct hf_jobs *jobs = user;
    pthread_mutex_lock(&jobs->lock);
    for (;;) {
        while (jobs->first == NULL && !jobs->ending)
            pthread_cond_wait(&jobs->added, &jobs->lock);
        struct hf_job *job = jobs->first;
        if (job == NULL)
            break;
        jobs->first = job->next;
        if (jobs->first == NULL)
            jobs->last = &jobs->first;
        pthread_mutex_unlock(&jobs->lock);
        job->run(job);
        pthread_mutex_lock(&jobs->lock);
        job->done = true;
        pthread_cond_broadcast(&jobs->finished);
    }
    pthread_mutex_unlock(&jobs->lock);
    return NULL;
}

/* Signals are the caller's business: its threads take them, ours do not. */
static void start(struct hf_jobs *jobs, unsigned threads)
{
    sigset_t all, before;
    sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return;
    while (jobs->count < threads &&
           pthread_create(&jobs->threads[jobs->count], NULL, work, jobs) == 0)
        jobs->count++;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct hf_jobs *hf_jobs_new(unsigned threads)
{
    struct hf_jobs *jobs = calloc(1, sizeof *jobs);
    if (jobs == NULL)
        return NULL;
    jobs->last = &jobs->first;
    pthread_mutex_init(&jobs->lock, NULL);
    pthread_cond_init(&jobs->added, NULL);
    pthread_cond_init(&jobs->finished, NULL);
    if (threads > 1)
        start(jobs, threads < THREADS_MAX ? threads : THREADS_MAX);
    return jobs;
}

void hf_jobs_free(struct hf_jobs *jobs)
{
    if (jobs == NULL)
        return;
    pthread_mutex_lock(&jobs->lock);
    jobs->ending = true;
    pthread_cond_broadcast(&jobs->added);
    pthread_mutex_unlock(&jobs->lock);
    for (unsigned i = 0; i < jobs->count; i++)
        pthread_join(jobs->threads[i], NULL);
    pthread_cond_destroy(&jobs->added);
    pthread_cond_destroy(&jobs->finished);
    pthread_mutex_destroy(&jobs->lock);
    free(jobs);
}

void hf_jobs_add(struct hf_jobs *jobs, struct hf_job *job)
{
    job->next = NULL;
    job->done = false;
    if (jobs->count == 0) {
        job->run(job);
        job->done = true;
        return;
    }
    pthread_mutex_lock(&jobs->lock);
    *jobs->last = job;
    jobs->last = &job->next;
    pthread_cond_signal(&jobs->added);
    pthread_mutex_unlock(&jobs->lock);
}

void hf_jobs_wait(struct hf_jobs *jobs, struct hf_job *job)
{
    if (jobs->count == 0)
        return;
    pthread_mutex_lock(&jobs->lock);
    while (!job->done)
        pthread_cond_wait(&jobs->finished, &jobs->lock);
    pthread_mutex_unlock(&jobs->lock);
}

unsigned hf_jobs_default(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int n = CPU_COUNT(&set);
    return n < 1 ? 1 : n > THREADS_MAX ? THREADS_MAX : (unsigned)n;
}
