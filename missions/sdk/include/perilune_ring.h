/*
 * perilune_ring.h: block and network devices without a call for each request.
 *
 * A device with `ring = true` in mission.toml has a ring beside it: the
 * program leaves requests in memory that it shares with the tender, whose own
 * thread serves them meanwhile, and reads the answers there. While both are
 * busy nothing leaves the guest; a tender without work sleeps, and the library
 * wakes it. Solo5's own tender refuses such a program.
 *
 *     struct perilune_ring disk;
 *     perilune_ring_acquire("disk", PERILUNE_BLOCK_RING, &disk);
 *     perilune_ring_submit(&disk, requests, n);    queues, does not wait
 *     perilune_ring_wait(&disk, deadline);         sleeps, if there is time
 *     perilune_ring_complete(&disk, answers, n);   reads answers, in any order
 *
 * Buffers belong to the tender from submit to complete. Sizes and offsets are
 * in octets, times in nanoseconds. A ring belongs to one processor at a time.
 * solo5_block_read() and its kin work beside it.
 */
#ifndef PERILUNE_RING_H
#define PERILUNE_RING_H

#include "solo5.h"

#define PERILUNE_BLOCK_RING 0x3a500003u
#define PERILUNE_NET_RING   0x3a500004u

/* Operations. */
#define PERILUNE_RING_READ    1u /* block: read size octets at offset */
#define PERILUNE_RING_WRITE   2u /* block: write them */
#define PERILUNE_RING_SEND    3u /* net: send one frame */
#define PERILUNE_RING_RECEIVE 4u /* net: keep the buffer for one frame */

#define PERILUNE_RING_TRANSFER_MAX 0x400000u /* longest block request */

/*
 * One request. offset and size of a block request are multiples of the block
 * size, size at most PERILUNE_RING_TRANSFER_MAX; a frame that is longer than
 * its buffer is cut. A buffer outside the program's memory ends the guest.
 */
struct perilune_request {
    uint32_t op;
    uint32_t id; /* comes back with the answer; yours to choose */
    uint64_t offset;
    void *data;
    uint32_t size;
    uint32_t zero; /* must be 0 */
};

/* The answer to the request with the same id. */
struct perilune_answer {
    uint32_t id;
    int32_t result; /* solo5_result_t: EINVAL bad request, EUNSPEC the device
                       has failed or is read-only */
    uint32_t size;  /* octets read or received */
    uint32_t zero;
};

/* One ring. Fields are the library's own; handle, depth and kicks may be
 * read. */
struct perilune_ring {
    solo5_handle_t handle; /* its bit in solo5_yield()'s ready_set */
    uint32_t depth;        /* requests on their way or unread at most */
    uint64_t kicks;        /* how often the tender had to be woken */

    void *memory;
    uint64_t kick;
    uint32_t submitted, completed;
};

/* Finds the ring of the device of this name. EINVAL if there is none of this
 * type (PERILUNE_BLOCK_RING, PERILUNE_NET_RING). */
solo5_result_t perilune_ring_acquire(const char *name, uint32_t type,
                                     struct perilune_ring *ring);

/* Leaves up to n requests, as many as there is room for, and returns how many.
 * Wakes the tender if it sleeps. */
size_t perilune_ring_submit(struct perilune_ring *ring,
                            const struct perilune_request *requests, size_t n);

/* Reads up to n answers that have come and returns how many; does not wait. */
size_t perilune_ring_complete(struct perilune_ring *ring,
                              struct perilune_answer *answers, size_t n);

/* Waits until there is an answer or the monotonic clock reaches deadline:
 * looks for some microseconds, then sleeps. AGAIN when time is up. */
solo5_result_t perilune_ring_wait(struct perilune_ring *ring,
                                  solo5_time_t deadline);

#endif
