/* jobs.h - a few threads that work off jobs in the order they were given. Which thread does
 * what decides nothing about results: callers wait for jobs one by one. */
#ifndef HF_DB_JOBS_H
#define HF_DB_JOBS_H

#include <stdbool.h>

struct hf_job {
    void (*run)(struct hf_job *job);
    struct hf_job *next; /* private */
    bool done;           /* private */
};

struct hf_jobs;

/* threads 0 or 1, or no thread to be had: jobs are run when they are added. NULL: out of
 * memory. */
struct hf_jobs *hf_jobs_new(unsigned threads);
void hf_jobs_free(struct hf_jobs *jobs); /* after all jobs were waited for */

/* job is the caller's and stays until it was waited for. */
void hf_jobs_add(struct hf_jobs *jobs, struct hf_job *job);
void hf_jobs_wait(struct hf_jobs *jobs, struct hf_job *job);

/* Processors that this process may use, 1 to 8. */
unsigned hf_jobs_default(void);

#endif
