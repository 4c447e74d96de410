// Uses a network device by its ring: frames sent and received in batches.
#include "../raw.h"
#include <perilune_ring.h>

#define BATCH 32u
static uint8_t out[BATCH][64], in[BATCH][2048];
static struct perilune_ring ring;
static uint32_t posted; // buffers that the tender has

static void post(uint32_t i)
{
    struct perilune_request r = {PERILUNE_RING_RECEIVE, i, 0, in[i], sizeof in[i], 0};
    CHECK(perilune_ring_submit(&ring, &r, 1) == 1);
    posted++;
}

static void send(uint32_t n, uint32_t count)
{
    struct perilune_request r[BATCH];

    for (uint32_t i = 0; i < count; i++) {
        out[i][12] = 0x88, out[i][13] = 0xb5;
        out[i][20] = (uint8_t)(n + i), out[i][21] = (uint8_t)((n + i) >> 8);
        r[i] = (struct perilune_request){PERILUNE_RING_SEND, BATCH + i, 0, out[i], 60, 0};
    }
    CHECK(perilune_ring_submit(&ring, r, count) == count);
}

int solo5_app_main(const struct solo5_start_info *si)
{
    solo5_handle_t h;
    struct solo5_net_info info;
    uint32_t sent = 0, answered = 0, got = 0;
    (void)si;

    CHECK(solo5_net_acquire("service", &h, &info) == SOLO5_R_OK && h == 1);
    CHECK(perilune_ring_acquire("service", PERILUNE_NET_RING, &ring) == SOLO5_R_OK);
    CHECK(ring.handle == 2 && ring.depth == 64);
    for (uint32_t i = 0; i < BATCH; i++)
        post(i);
    // A thousand frames, up to BATCH on their way; each comes back.
    while (got < 1000) {
        if (sent == got && sent == answered) {
            send(sent, sent + BATCH <= 1000 ? BATCH : 1000 - sent);
            sent += sent + BATCH <= 1000 ? BATCH : 1000 - sent;
        }
        CHECK(perilune_ring_wait(&ring, solo5_clock_monotonic() + 30000000000) == SOLO5_R_OK);
        struct perilune_answer a[64];
        size_t n = perilune_ring_complete(&ring, a, 64);
        for (size_t i = 0; i < n; i++) {
            CHECK(a[i].result == SOLO5_R_OK);
            if (a[i].id >= BATCH) {
                answered++;
                continue;
            }
            const uint8_t *f = in[a[i].id];
            if (f[12] == 0x88 && f[13] == 0xb5) {
                CHECK(a[i].size == 60 && f[20] + f[21] * 256u == got);
                got++;
            }
            posted--;
            post(a[i].id);
        }
    }
    // Refusals; the buffers stay with the tender.
    static const struct perilune_request bad[] = {
        {PERILUNE_RING_READ, 40, 0, in, 512, 0}, {PERILUNE_RING_SEND, 41, 0, in, 0, 0},
        {PERILUNE_RING_RECEIVE, 42, 0, in, 0, 0}, {PERILUNE_RING_RECEIVE, 43, 0, in, 64, 1}};
    struct perilune_answer a[4];
    CHECK(posted == BATCH && perilune_ring_submit(&ring, bad, 4) == 4);
    for (uint32_t n = 0; n < 4;) {
        CHECK(perilune_ring_wait(&ring, solo5_clock_monotonic() + 30000000000) == SOLO5_R_OK);
        size_t k = perilune_ring_complete(&ring, a, 4);
        for (size_t i = 0; i < k; i++)
            if (a[i].id >= 40) {
                CHECK(a[i].result == SOLO5_R_EINVAL);
                n++;
            }
    }
    printf("%u frames\n", got);
    return 0;
}
