// Leaves frames in Solo5's net ring, more than a socket takes: the argument is
// how many. Then it is over, or, if "." follows the number, waits for ever.
// With TWO it has a second vCPU, which never runs.
#include "guest.h"
#ifdef TWO
MANIFEST(2, {.name = "net", .type = 2}, {.name = "cpus", .type = VCPUS, .u = {.vcpus = {2}}});
#else
MANIFEST(1, {.name = "net", .type = 2});
#endif

#define SLOTS 1024u
struct ring {
    volatile uint32_t ent_tail, com_head;
    uint8_t pad0[56];
    volatile uint32_t ent_head, com_tail, needs_kick;
    uint8_t pad1[52];
    volatile struct { uint32_t op, handle; uint64_t data; uint32_t len, id; uint64_t reserved; } entry[SLOTS];
};

static uint8_t frame[4096] = {1};

int run(const struct boot_info *bi, const char *arg)
{
    struct ring *r = (struct ring *)bi->net_ring;
    uint32_t n = (uint32_t)decimal(&arg);
    for (uint32_t i = 0; i < n; i++) {
        r->entry[i].op = 1, r->entry[i].handle = 1, r->entry[i].len = sizeof frame;
        r->entry[i].data = (uintptr_t)frame;
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    r->ent_tail = n;
    kick_at(SOLO5_KICK);
    say("left\n");
    volatile struct poll p = {~0ull, 0, -1};
    if (*arg == '.')
        call(POLL, &p);
    return 0;
}
