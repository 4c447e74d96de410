// The three rings that a guest shares with the tender, seen alike. Their words
// lie at the same places; the requests of Solo5's ring begin elsewhere and have
// a handle where the others have an offset.
#pragma once
#include "../calls.h"

struct ring {
    volatile uint32_t *words; // [0] tail, [1] head of answers; [16] taken, [17] answered, [18] kick me
    uint32_t requests, depth; // where requests begin, in words
    int solo5;
    uint64_t kick;
};

static struct ring rings[3]; // Solo5's, the block device's, the network's

static void open_rings(const struct boot_info *bi)
{
    const struct extension *x = extension_of(bi);
    rings[0] = (struct ring){(volatile uint32_t *)bi->net_ring, 0x80 / 4, 1024, 1, SOLO5_KICK};
    unsigned n = 1;
    for (uint32_t i = 0; i < x->items; i++)
        if (x->item[i].type == BLOCK_RING || x->item[i].type == NET_RING)
            rings[n++] = (struct ring){(volatile uint32_t *)x->item[i].gpa, 0x100 / 4, (uint32_t)x->item[i].a, 0, x->item[i].kick};
}

static void fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

static volatile uint32_t *request(const struct ring *r, uint32_t n) { return r->words + r->requests + n % r->depth * 8; }

struct asked { uint32_t op; uint64_t a, data; uint32_t len; };

static void put64(volatile uint32_t *at, uint64_t v) { at[0] = (uint32_t)v, at[1] = (uint32_t)(v >> 32); }

// Writes the request that leave would, where the tender does not look yet.
static void write_request(const struct ring *r, const struct asked *q)
{
    volatile uint32_t *at = request(r, r->words[0]);
    at[0] = q->op;
    at[7] = 0;
    if (r->solo5)
        at[1] = (uint32_t)q->a, put64(at + 2, q->data), at[4] = q->len, at[5] = 1;
    else
        at[1] = 1, put64(at + 2, q->a), put64(at + 4, q->data), at[6] = q->len;
}

// Leaves one request, without a kick.
static void leave(const struct ring *r, const struct asked *q)
{
    write_request(r, q);
    fence();
    r->words[0]++;
    fence();
}

// Halts with 98 if what is waited for takes longer than twenty seconds.
static void expire(uint64_t since)
{
    if (now() > since + 20000000000)
        halt(98);
}

// The answer to the last request: Solo5's ring answers op 2 alone.
static uint32_t answer(const struct ring *r, uint32_t op)
{
    uint64_t since = now();
    while (r->words[16] != r->words[0])
        expire(since);
    if (r->solo5 && op != 2)
        return 0;
    while (r->words[17] == r->words[1])
        expire(since);
    uint32_t result = request(r, 0)[r->depth * 8 + r->words[1] % r->depth * 4 + 1];
    r->words[1]++;
    return result;
}
