/* ring.c: the guest's side of block and net rings (package hvt, ring.go). */
#include <perilune_ring.h>
#include <string.h>

#include "hvt.h"

#define SPINS 4096 /* looks before sleeping */

_Static_assert(sizeof(struct perilune_request) == 32 &&
                   sizeof(struct perilune_answer) == 16,
               "ring entries");
_Static_assert(PERILUNE_BLOCK_RING == HVT_BLOCK_RING &&
                   PERILUNE_NET_RING == HVT_NET_RING,
               "ring types");

const struct hvt_item *hvt_find_item(const char *name, uint32_t type)
{
    const struct hvt_manifest *m = hvt_boot->manifest;
    const struct hvt_record *r = hvt_boot->record;

    if (!(hvt_boot->host_features & HVT_FEATURE_EXTENSION) ||
        r->magic != HVT_RECORD_MAGIC || r->version != HVT_RECORD_VERSION)
        return NULL;
    for (uint32_t i = 0; i < r->items; i++) {
        const struct hvt_item *item = &r->item[i];

        if (item->type == type && item->status == HVT_ITEM_OK &&
            item->index < m->entries &&
            strcmp(m->entry[item->index].name, name) == 0)
            return item;
    }
    return NULL;
}

solo5_result_t perilune_ring_acquire(const char *name, uint32_t type,
                                     struct perilune_ring *ring)
{
    const struct hvt_item *item = hvt_find_item(name, type);

    if (!item || (type != HVT_BLOCK_RING && type != HVT_NET_RING))
        return SOLO5_R_EINVAL;
    *ring = (struct perilune_ring){.handle = item->index,
                                   .depth = (uint32_t)item->a,
                                   .memory = (void *)(uintptr_t)item->gpa,
                                   .kick = item->b};
    return SOLO5_R_OK;
}

static struct perilune_request *requests_of(struct perilune_ring *ring)
{
    return (struct perilune_request *)((struct hvt_ring *)ring->memory + 1);
}

static struct perilune_answer *answers_of(struct perilune_ring *ring)
{
    return (struct perilune_answer *)(requests_of(ring) + ring->depth);
}

static uint32_t load(const uint32_t *p)
{
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

/*
 * Moves one of our indices. The barrier stands between this store and the
 * look at needs_kick: the tender stores the flag, then looks at the index, so
 * one of the two sees the other's word.
 */
static void move(struct perilune_ring *ring, uint32_t *index, uint32_t value)
{
    struct hvt_ring *r = ring->memory;

    __atomic_store_n(index, value, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (load(&r->needs_kick)) {
        ring->kicks++;
        hvt_kick(ring->kick);
    }
}

size_t perilune_ring_submit(struct perilune_ring *ring,
                            const struct perilune_request *requests, size_t n)
{
    struct hvt_ring *r = ring->memory;
    struct perilune_request *to = requests_of(ring);
    uint32_t room = ring->depth - (ring->submitted - ring->completed);

    if (n > room)
        n = room;
    if (n == 0)
        return 0;
    for (size_t i = 0; i < n; i++)
        to[(ring->submitted + i) & (ring->depth - 1)] = requests[i];
    ring->submitted += (uint32_t)n;
    move(ring, &r->sq_tail, ring->submitted);
    return n;
}

size_t perilune_ring_complete(struct perilune_ring *ring,
                              struct perilune_answer *answers, size_t n)
{
    struct hvt_ring *r = ring->memory;
    const struct perilune_answer *from = answers_of(ring);
    uint32_t there = load(&r->cq_tail) - ring->completed;

    if (n > there)
        n = there;
    if (n == 0)
        return 0;
    for (size_t i = 0; i < n; i++)
        answers[i] = from[(ring->completed + i) & (ring->depth - 1)];
    ring->completed += (uint32_t)n;
    /* No look at needs_kick: there is room for all that was submitted. */
    __atomic_store_n(&r->cq_head, ring->completed, __ATOMIC_RELEASE);
    return n;
}

solo5_result_t perilune_ring_wait(struct perilune_ring *ring,
                                  solo5_time_t deadline)
{
    struct hvt_ring *r = ring->memory;
    solo5_handle_set_t ready;

    for (int i = 0; i < SPINS; i++) {
        if (load(&r->cq_tail) != ring->completed)
            return SOLO5_R_OK;
        hvt_relax();
    }
    do {
        solo5_yield(deadline, &ready);
        if (load(&r->cq_tail) != ring->completed)
            return SOLO5_R_OK;
    } while (solo5_clock_monotonic() < deadline);
    return SOLO5_R_AGAIN;
}
