// One hypercall with whatever arguments the command line says:
//
//	name[@WHERE] a b c d
//
// Letters: T end of memory, B a buffer of 8 KiB, R the call's own record, X the
// program's text. What the call answers is printed; a guest that survives
// exits with 99.
#include "../calls.h"
MANIFEST(2, {.name = "storage", .type = 1}, {.name = "radio", .type = 2});

static uint8_t buffer[8192] __attribute__((aligned(4096)));
static volatile struct record record __attribute__((aligned(64)));

int run(const struct boot_info *bi, const char *arg)
{
    struct said s;
    if (!read_call(&arg, bi->mem_size, &record, &s))
        return 98;
    say_number(make_call(&s, &record));
    return 99;
}

static uint64_t meaning(char letter, uint64_t top)
{
    switch (letter) {
    case 'T': return top;
    case 'B': return (uintptr_t)buffer;
    case 'R': return (uintptr_t)&record;
    case 'X': return (uintptr_t)run & ~15ul;
    }
    return 0;
}
