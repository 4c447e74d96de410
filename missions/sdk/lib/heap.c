/*
 * heap.c: blocks side by side from the first octet of free memory on.
 *
 *   | block | octets | block | octets | ... | top: never used, or given back
 *
 * malloc() takes the first free block that is large enough, else it grows the
 * heap; free blocks that lie side by side become one when they are passed.
 */
#include <solo5.h>
#include <stdlib.h>
#include <string.h>

#include "hvt.h"

#define ALIGN 16UL
#define USED  0x6c756e61u
#define FREE  0x66726565u

struct block {
    size_t size; /* octets behind it, a multiple of ALIGN */
    size_t state;
};
_Static_assert(sizeof(struct block) == ALIGN, "blocks stay aligned");

static uintptr_t first, top, end;
static uintptr_t lowest; /* no block below it is free */

void hvt_heap_init(uintptr_t start, size_t size)
{
    first = top = lowest = (start + ALIGN - 1) & ~(ALIGN - 1);
    end = size > PERILUNE_STACK_SIZE ? start + size - PERILUNE_STACK_SIZE : top;
}

static uintptr_t behind(const struct block *b)
{
    return (uintptr_t)(b + 1) + b->size;
}

/* Joins b, which is free or about to be kept, with the free blocks behind it;
 * returns 0 when b was free and the last one and so became unused memory. */
static int join(struct block *b)
{
    while (behind(b) < top && ((struct block *)behind(b))->state == FREE)
        b->size += sizeof *b + ((struct block *)behind(b))->size;
    if (b->state == FREE && behind(b) == top) {
        top = (uintptr_t)b;
        return 0;
    }
    return 1;
}

/* Makes what b has beyond size a free block, if there is room for one. */
static void cut(struct block *b, size_t size)
{
    struct block *rest = (struct block *)((uintptr_t)(b + 1) + size);

    if (b->size - size < sizeof *rest + ALIGN)
        return;
    *rest = (struct block){b->size - size - sizeof *rest, FREE};
    b->size = size;
    if (join(rest) && (uintptr_t)rest < lowest)
        lowest = (uintptr_t)rest;
}

/* A size in multiples of ALIGN, or 0 if no heap could have it. */
static size_t rounded(size_t n)
{
    if (n > PTRDIFF_MAX - ALIGN)
        return 0;
    return n ? (n + ALIGN - 1) & ~(ALIGN - 1) : ALIGN;
}

void *malloc(size_t n)
{
    size_t size = rounded(n);
    struct block *b;

    if (size == 0)
        return NULL;
    for (uintptr_t at = lowest; at < top; at = behind(b)) {
        b = (struct block *)at;
        if (b->state != FREE)
            continue;
        if (!join(b))
            break;
        if (b->size < size)
            continue;
        b->state = USED;
        cut(b, size);
        return b + 1;
    }
    if (top >= end || end - top <= sizeof *b || size > end - top - sizeof *b)
        return NULL;
    b = (struct block *)top;
    *b = (struct block){size, USED};
    top = behind(b);
    return b + 1;
}

void *calloc(size_t count, size_t n)
{
    size_t total;
    void *p;

    if (__builtin_mul_overflow(count, n, &total))
        return NULL;
    p = malloc(total);
    if (p)
        memset(p, 0, total);
    return p;
}

/* The block of p; a pointer that malloc() did not give, or that was freed, ends
 * the program before it can harm it. */
static struct block *block_of(void *p)
{
    struct block *b = (struct block *)p - 1;

    if ((uintptr_t)b < first || (uintptr_t)b >= top || b->state != USED)
        solo5_abort();
    return b;
}

void free(void *p)
{
    struct block *b;

    if (!p)
        return;
    b = block_of(p);
    b->state = FREE;
    if (join(b) && (uintptr_t)b < lowest)
        lowest = (uintptr_t)b;
    if (lowest > top)
        lowest = top;
}

void *realloc(void *p, size_t n)
{
    size_t size = rounded(n);
    struct block *b;
    void *q;

    if (!p)
        return malloc(n);
    b = block_of(p);
    if (size == 0)
        return NULL;
    if (b->size < size) {
        join(b);
        if (lowest > (uintptr_t)b && lowest < behind(b))
            lowest = behind(b); /* what it was is part of b now */
    }
    if (b->size >= size) {
        cut(b, size);
        return p;
    }
    q = malloc(n);
    if (q) {
        memcpy(q, p, b->size);
        free(p);
    }
    return q;
}
