// Hypercalls that the command line says.
#pragma once
#include "args.h"

// The hypercalls by name, and where each has its answer; 0 for none.
static const struct kind { const char *name; int call, ret; } kinds[] = {
    {"walltime", WALLTIME, 0}, {"puts", PUTS, 0}, {"poll", POLL, 16}, {"write", BLKWRITE, 32},
    {"read", BLKREAD, 32}, {"send", NETWRITE, 24}, {"receive", NETREAD, 24}, {"halt", HALT, 0},
    {"tell", NETWRITE, 24}, {"hear", NETREAD, 24}, // the same on a channel
    {"start", VCPU_START, 32}, {"park", VCPU_PARK, 8}, {"wake", VCPU_WAKE, 4},
};

struct record { uint64_t words[5]; };

// A hypercall as the command line says it: name[@WHERE] a b c d.
struct said {
    const struct kind *kind;
    uint64_t where, words[4];
};

static int read_call(const char **at, uint64_t top, volatile struct record *record, struct said *out)
{
    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!word(at, kinds[i].name))
            continue;
        out->kind = &kinds[i];
        out->where = (uintptr_t)record;
        if (**at == '@')
            (*at)++, out->where = argument(at, top);
        for (int w = 0; w < 4; w++)
            out->words[w] = argument(at, top);
        return 1;
    }
    return 0;
}

// Makes the call with its record and gives its answer.
static uint32_t make_call(const struct said *s, volatile struct record *record)
{
    for (int w = 0; w < 4; w++)
        record->words[w] = s->words[w];
    call_raw(s->kind->call, (uint32_t)s->where);
    return s->kind->ret ? *(volatile uint32_t *)((uintptr_t)record + s->kind->ret) : 0;
}
