// A block ring of depth 8, of a guest that has no other one.
#pragma once
#include "guest.h"

#define DEPTH 8u
struct ring {
    volatile uint32_t sq_tail, cq_head;
    uint8_t pad0[56];
    volatile uint32_t sq_head, cq_tail, needs_kick;
    uint8_t pad1[180];
    volatile struct { uint32_t op, id; uint64_t offset, data; uint32_t len, zero; } sq[DEPTH];
    volatile struct { uint32_t id; int32_t result; uint32_t len, zero; } cq[DEPTH];
};

static struct ring *ring;
static uint64_t at_kick;

static void open_ring(const struct boot_info *bi)
{
    const struct item *i = &extension_of(bi)->item[0];
    ring = (struct ring *)i->gpa;
    at_kick = i->kick;
}
