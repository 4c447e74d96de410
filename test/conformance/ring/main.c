// Uses the shared network ring of Solo5 0.11 as its bindings do.
#include "../raw.h"

#define SLOTS 1024u
struct entry { uint32_t op, handle; uint64_t data; uint32_t len, id; uint64_t reserved; };
struct commit { uint32_t id; int32_t ret; uint32_t len, reserved; };
struct ring {
    volatile uint32_t ent_tail, com_head;
    uint8_t pad0[56];
    volatile uint32_t ent_head, com_tail, needs_kick;
    uint8_t pad1[52];
    struct entry entry[SLOTS];
    struct commit commit[SLOTS];
};
_Static_assert(sizeof(struct ring) == 49280, "ring");

static uint8_t frame[64][64], in[2000];
static struct ring *ring;

static void kick(void)
{
#if defined(__x86_64__)
    __asm__ volatile("outl %0, %1" ::"a"(0), "d"((uint16_t)0x600) : "memory");
#else
    __asm__ volatile("str wzr, [%0]" ::"r"(0x100000100ul) : "memory");
#endif
}

static void submit(uint32_t op, const void *data, uint32_t len, uint32_t id)
{
    while (ring->ent_tail - ring->ent_head >= SLOTS - 1)
        ;
    ring->entry[ring->ent_tail % SLOTS] = (struct entry){op, 1, (uintptr_t)data, len, id, 0};
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    ring->ent_tail++;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (ring->needs_kick)
        kick();
}

static struct commit receive(uint32_t id)
{
    submit(2, in, sizeof in, id);
    while (ring->com_head == ring->com_tail)
        ;
    struct commit c = ring->commit[ring->com_head % SLOTS];
    ring->com_head++;
    CHECK(c.id == id);
    return c;
}

int solo5_app_main(const struct solo5_start_info *si)
{
    const struct boot *b = hvt_boot;

    CHECK(b->host_features == 1 && b->net_ring >= b->mem_size && b->net_ring % 4096 == 0);
    ring = (struct ring *)b->net_ring;
    if (is(si->cmdline, "jump")) { // an index that leaves the ring
        ring->ent_tail = 5000;
        kick();
        for (;;)
            ;
    }
    if (is(si->cmdline, "outside")) { // data above memory
        submit(1, (void *)(b->mem_size - 10), 60, 1);
        kick();
        for (;;)
            ;
    }
    printf("ring at %lu MB\n", (unsigned long)(b->net_ring >> 20));
    CHECK(receive(7).ret == SOLO5_R_AGAIN);
    // A thousand frames, 64 on their way at once; each comes back.
    for (unsigned n = 0; n < 1000;) {
        unsigned batch = n + 64 <= 1000 ? 64 : 1000 - n;
        for (unsigned i = 0; i < batch; i++) {
            frame[i][12] = 0x88, frame[i][13] = 0xb5;
            frame[i][20] = (uint8_t)(n + i), frame[i][21] = (uint8_t)((n + i) >> 8);
            submit(1, frame[i], 60, i);
        }
        for (unsigned i = 0; i < batch;) {
            struct commit c = receive(i);
            if (c.ret == SOLO5_R_AGAIN) {
                solo5_handle_set_t ready;
                solo5_yield(solo5_clock_monotonic() + 30000000000, &ready);
                CHECK(ready == 1 << 1);
                continue;
            }
            CHECK(c.ret == SOLO5_R_OK);
            if (in[12] != 0x88 || in[13] != 0xb5)
                continue;
            CHECK(c.len == 60 && in[20] + in[21] * 256u == n + i);
            i++;
        }
        n += batch;
    }
    // The hypercalls still work beside it.
    solo5_handle_t h;
    struct solo5_net_info info;
    size_t got;
    CHECK(solo5_net_acquire("service", &h, &info) == SOLO5_R_OK);
    CHECK(solo5_net_read(h, in, sizeof in, &got) == SOLO5_R_AGAIN);
    printf("1000 frames\n");
    return 0;
}
