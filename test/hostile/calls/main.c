// One hypercall with whatever arguments the command line says:
//
//	name a b c d
//
// Each argument is a hexadecimal number or one of T (end of memory), B (a
// buffer of 8 KiB), R (the call's own record), X (the program's text), each
// with +N or -N behind it if need be. What the call answers is printed; a
// guest that survives exits with 99.
#include "guest.h"
MANIFEST(2, {.name = "storage", .type = 1}, {.name = "radio", .type = 2});

static uint8_t buffer[8192] __attribute__((aligned(4096)));
static volatile union {
    uint64_t words[5];
    struct poll poll;
    struct io io;
    struct net net;
} record __attribute__((aligned(64)));

static uint64_t number(const char **at)
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

static uint64_t argument(const char **at, uint64_t top)
{
    uint64_t v;
    while (**at == ' ')
        (*at)++;
    switch (**at) {
    case 'T': v = top; (*at)++; break;
    case 'B': v = (uintptr_t)buffer; (*at)++; break;
    case 'R': v = (uintptr_t)&record; (*at)++; break;
    case 'X': v = (uintptr_t)run & ~15ul; (*at)++; break;
    default: v = number(at);
    }
    if (**at == '+')
        (*at)++, v += number(at);
    else if (**at == '-')
        (*at)++, v -= number(at);
    return v;
}

int run(const struct boot_info *bi, const char *arg)
{
    static const struct { const char *name; int call, ret; } calls[] = {
        {"walltime", WALLTIME, 0}, {"puts", PUTS, 0}, {"poll", POLL, 16}, {"write", BLKWRITE, 32},
        {"read", BLKREAD, 32}, {"send", NETWRITE, 24}, {"receive", NETREAD, 24}, {"halt", HALT, 0},
    };
    for (unsigned i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        const char *at = arg, *name = calls[i].name;
        while (*name && *at == *name)
            at++, name++;
        if (*name || (*at && *at != ' ' && *at != '@'))
            continue;
        uint64_t where = (uintptr_t)&record;
        if (*at == '@') // the record lies elsewhere
            at++, where = argument(&at, bi->mem_size);
        for (int w = 0; w < 4; w++)
            record.words[w] = argument(&at, bi->mem_size);
        call_raw(calls[i].call, (uint32_t)where);
        say_number(calls[i].ret ? *(volatile uint32_t *)((uintptr_t)&record + calls[i].ret) : 0);
        return 99;
    }
    return 98;
}
