// Uses a block device by its ring: long requests, many at once, bad ones.
#include "../raw.h"
#include <perilune_ring.h>

#define MIB 0x100000u
static uint8_t *big; // 4 MiB
static struct perilune_ring ring;
static struct solo5_block_info info;

// One request and its answer.
static int32_t one(uint32_t op, uint64_t offset, void *data, uint32_t size)
{
    static uint32_t id;
    struct perilune_request r = {op, ++id, offset, data, size, 0};
    struct perilune_answer a = {0};

    CHECK(perilune_ring_submit(&ring, &r, 1) == 1);
    CHECK(perilune_ring_wait(&ring, solo5_clock_monotonic() + 30000000000) == SOLO5_R_OK);
    CHECK(perilune_ring_complete(&ring, &a, 1) == 1);
    CHECK(a.id == id && a.size == (a.result == SOLO5_R_OK ? size : 0));
    return a.result;
}

// Reads 1 MiB in requests of 4 KiB, backwards, as many at once as there is
// room for, and checks each block once it is there.
static void many(void)
{
    uint32_t left = 256, done = 0;

    memset(big, 0, MIB);
    while (done < 256) {
        struct perilune_request r[64];
        struct perilune_answer a[64];
        size_t n = 0;

        for (; n < 64 && n < left; n++) {
            uint32_t block = left - 1 - (uint32_t)n;
            r[n] = (struct perilune_request){PERILUNE_RING_READ, block, block * 4096ul, big + block * 4096ul, 4096, 0};
        }
        left -= (uint32_t)perilune_ring_submit(&ring, r, n);
        CHECK(perilune_ring_wait(&ring, solo5_clock_monotonic() + 30000000000) == SOLO5_R_OK);
        n = perilune_ring_complete(&ring, a, 64);
        for (size_t i = 0; i < n; i++) {
            CHECK(a[i].result == SOLO5_R_OK && a[i].size == 4096);
            CHECK(big[a[i].id * 4096] == (uint8_t)a[i].id && big[a[i].id * 4096 + 4095] == (uint8_t)a[i].id);
        }
        done += (uint32_t)n;
    }
}

int solo5_app_main(const struct solo5_start_info *si)
{
    solo5_handle_t h;
    uint8_t sector[512];
    (void)si;

    CHECK(hvt_boot->host_features >> 31 == 1 && (const uint8_t *)hvt_boot->manifest == (const uint8_t *)hvt_boot + 64);
    CHECK(solo5_block_acquire("disk", &h, &info) == SOLO5_R_OK && h == 1);
    CHECK(perilune_ring_acquire("other", PERILUNE_BLOCK_RING, &ring) == SOLO5_R_EINVAL);
    CHECK(perilune_ring_acquire("disk", PERILUNE_NET_RING, &ring) == SOLO5_R_EINVAL);
    CHECK(perilune_ring_acquire("disk", PERILUNE_BLOCK_RING, &ring) == SOLO5_R_OK);
    CHECK(ring.handle == 2 && ring.depth == 64);
    CHECK((big = malloc(4 * MIB)) != NULL);

    // The longest request, there and back.
    for (uint32_t i = 0; i < 1024; i++)
        memset(big + i * 4096, (int)i, 4096);
    CHECK(one(PERILUNE_RING_WRITE, 0, big, 4 * MIB) == SOLO5_R_OK);
    memset(big, 0xee, 4 * MIB);
    CHECK(one(PERILUNE_RING_READ, 0, big, 4 * MIB) == SOLO5_R_OK);
    for (uint32_t i = 0; i < 1024; i++)
        CHECK(big[i * 4096] == (uint8_t)i && big[i * 4096 + 4095] == (uint8_t)i);
    many();

    // What cannot be served is answered so, and nothing is touched.
    CHECK(one(PERILUNE_RING_READ, 0, big, 0) == SOLO5_R_EINVAL);
    CHECK(one(PERILUNE_RING_READ, 0, big, 4 * MIB + 512) == SOLO5_R_EINVAL);
    CHECK(one(PERILUNE_RING_READ, 0, big, 100) == SOLO5_R_EINVAL);
    CHECK(one(PERILUNE_RING_READ, 100, big, 512) == SOLO5_R_EINVAL);
    CHECK(one(PERILUNE_RING_READ, info.capacity, big, 512) == SOLO5_R_EINVAL);
    CHECK(one(PERILUNE_RING_WRITE, info.capacity - 512, big, 1024) == SOLO5_R_EINVAL);
    CHECK(one(PERILUNE_RING_READ, 1ul << 63, big, 512) == SOLO5_R_EINVAL);
    CHECK(one(PERILUNE_RING_SEND, 0, big, 512) == SOLO5_R_EINVAL);
    CHECK(one(99, 0, big, 512) == SOLO5_R_EINVAL);

    // The calls still work beside it, and POLL names the ring.
    CHECK(solo5_block_read(h, 5 * 4096, sector, 512) == SOLO5_R_OK && sector[0] == 5);
    struct perilune_request r = {PERILUNE_RING_WRITE, 1, 512, (void *)"the ring wrote this", 512, 0};
    solo5_handle_set_t ready;
    CHECK(perilune_ring_submit(&ring, &r, 1) == 1);
    solo5_yield(solo5_clock_monotonic() + 30000000000, &ready);
    CHECK(ready == 1 << 2);
    struct perilune_answer a;
    CHECK(perilune_ring_complete(&ring, &a, 1) == 1 && a.result == SOLO5_R_OK);
    solo5_yield(0, &ready);
    CHECK(ready == 0);

    // Left behind at the end: the tender still does it.
    r = (struct perilune_request){PERILUNE_RING_WRITE, 2, 1024, (void *)"and this", 512, 0};
    CHECK(perilune_ring_submit(&ring, &r, 1) == 1);
    printf("block ring at %lx\n", (unsigned long)(uintptr_t)ring.memory);
    return 0;
}
