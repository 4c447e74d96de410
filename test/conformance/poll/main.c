// Waits, with and without something to wait for.
#include "../raw.h"

static uint64_t took(uint64_t timeout, struct poll *p)
{
    uint64_t before = solo5_clock_monotonic();
    *p = (struct poll){timeout, 0x77, -1};
    CALL(POLL, p);
    return solo5_clock_monotonic() - before;
}

int solo5_app_main(const struct solo5_start_info *si)
{
    struct poll p;
    solo5_handle_t net;
    struct solo5_net_info info;
    uint8_t frame[64] = {[12] = 0x88, [13] = 0xb5}, back[2000];
    size_t n;
    (void)si;

    // Time-outs: none, short, and through the library.
    CHECK(took(0, &p) < 30000000000 && p.ready == 0 && p.ret == 0);
    CHECK(took(100000000, &p) >= 100000000 && p.ready == 0 && p.ret == 0);
    uint64_t start = solo5_clock_monotonic();
    solo5_handle_set_t ready = 99;
    solo5_yield(start + 50000000, &ready);
    CHECK(solo5_clock_monotonic() - start >= 50000000 && ready == 0);
    solo5_yield(start, NULL); // long ago

    // The device is number 2 in the manifest: bit 2, long before the time.
    CHECK(solo5_net_acquire("service", &net, &info) == SOLO5_R_OK && net == 2);
    CHECK(solo5_net_write(net, frame, sizeof frame) == SOLO5_R_OK);
    CHECK(took(60000000000, &p) < 50000000000 && p.ready == 1 << 2 && p.ret == 1);
    // Level-triggered: it stays ready until it is read.
    took(0, &p);
    CHECK(p.ready == 1 << 2 && p.ret == 1);
    CHECK(solo5_net_read(net, back, sizeof back, &n) == SOLO5_R_OK && n == sizeof frame);
    took(0, &p);
    CHECK(p.ready == 0 && p.ret == 0);
    return 0;
}
