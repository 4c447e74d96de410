// The command lines of these guests. A number is hexadecimal, or a letter that
// the guest gives a meaning, or one with +N or -N behind it.
#pragma once
#include "guest.h"

static uint64_t meaning(char letter, uint64_t top);

static uint64_t digits(const char **at)
{
    uint64_t v = 0;
    for (;; (*at)++) {
        char c = **at;
        if (c >= '0' && c <= '9')
            v = v << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            v = v << 4 | (uint64_t)(c - 'a' + 10);
        else
            return v;
    }
}

// The next number; top is the end of memory. At the end of the text it is 0.
static uint64_t argument(const char **at, uint64_t top)
{
    while (**at == ' ')
        (*at)++;
    uint64_t v = **at >= 'A' && **at <= 'Z' ? meaning(*(*at)++, top) : digits(at);
    if (**at == '+')
        (*at)++, v += digits(at);
    else if (**at == '-')
        (*at)++, v -= digits(at);
    return v;
}

// Whether the next word is this one; if so it is taken. A word may end in '@'.
static int word(const char **at, const char *name)
{
    const char *p = *at;
    while (*p == ' ')
        p++;
    while (*name && *p == *name)
        p++, name++;
    if (*name || (*p && *p != ' ' && *p != '@'))
        return 0;
    *at = p;
    return 1;
}

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
